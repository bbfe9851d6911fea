#include "bpf.h"
u64 add(u64 a, u64 b) { return a + b * 3 - (a ^ b) + (a & 0xff00ff) - (b | 0x7fffffff); }
u64 sh(u64 a, u32 n) { return (a << n) | (a >> (64 - n)); }
s64 ash(s64 a, u32 n) { return (a >> n) + (a >> 7); }
u32 add32(u32 a, u32 b) { return a + b * 3 - (a ^ b) + (a & 0xff00ff); }
s32 ash32(s32 a, u32 n) { return (a >> n) + (a >> 7) - (a << 3); }
u64 divu(u64 a, u64 b) { return a / b + a % b + a / 10 + b % 7; }
u32 divu32(u32 a, u32 b) { return a / b + a % b + a / 10 + b % 7; }
u64 neg(s64 a) { return -a + ~a; }
