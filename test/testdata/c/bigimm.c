#include "bpf.h"
u64 a(void) { return 0x123456789abcdef0ULL; }
u64 b(void) { return 0xffffffffULL; }
u64 c(void) { return 0x80000000ULL; }
s64 d(void) { return -0x80000000LL; }
s64 e(void) { return -0x80000001LL; }
u64 f(u64 x) { return x & 0xffffffff00000000ULL; }
u64 g(u64 x) { return x + 0x100000000ULL; }
u64 h(u64 x) { return x == 0xdeadbeefcafef00dULL ? 1 : x > 0xffffffffULL ? 2 : 3; }
u32 i(u32 x) { return x == 0xffffffff || x > 0x80000000u; }
u64 j(void) { return 0xffffffffffffffffULL; }
u64 k(void) { return 0x8000000000000000ULL; }
