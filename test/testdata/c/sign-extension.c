#include "bpf.h"
s64 lb(s8 *p) { return *p; } s64 lh(s16 *p) { return *p; } s64 lw(s32 *p) { return *p; }
s32 lb32(s8 *p) { return p[3]; } s32 lh32(s16 *p) { return p[-2]; }
s64 cb(u64 x) { return (s8)x; } s64 ch(u64 x) { return (s16)x; } s64 cw(u64 x) { return (s32)x; }
s32 cb32(u32 x) { return (s8)x; } s32 ch32(u32 x) { return (s16)x; }
u64 z(u32 a, u8 b, u16 c) { return (u64)a + b + c; }
int cmp(s8 a, s16 b, s32 c, s64 d) { return a < b ? c > d : a <= c ? b >= d : a == d; }
