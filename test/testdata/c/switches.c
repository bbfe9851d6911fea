#include "bpf.h"
u32 dense(u32 x) { switch (x) { case 0: return 10; case 1: return 21; case 2: return 35; case 3: return 1; case 4: return 99; case 5: return 12345; case 6: return 7; case 7: return 4; default: return 0; } }
u32 sparse(u32 x) { switch (x) { case 1: return 5; case 1000: return 6; case 0x80000000u: return 7; case 77777: return x * 3; } return x; }
int calls(int x, int *p) { switch (x) { case 0: *p = 1; break; case 1: *p += 3; case 2: *p *= 2; break; case 9: *p ^= x; break; case 10: return -1; case 11: *p = (u32)*p / 3; } return *p; }
u64 wide(u64 x) { switch (x) { case 0x100000000ULL: return 1; case 0x200000001ULL: return 2; case 3: return 3; } return 4; }
