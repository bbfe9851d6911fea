#include "bpf.h"
NOINLINE u64 use(u8 *p, u32 n) { u64 s = 0; for (u32 i = 0; i < n; i++) s = s * 31 + p[i]; return s; }
u64 big(u32 x) { u8 buf[256]; for (int i = 0; i < 256; i++) buf[i] = i * x; return use(buf, 256); }
u64 spill(u64 a, u64 b, u64 c, u64 d, u64 e) { u64 f = a * b, g = b * c, h = c * d, i = d * e, j = e * a; f += ktime_ns(); g ^= prandom(); return f + g + h + i + j + a + b + c + d + e; }
u64 zero(void) { u64 a[16] = {}; return use((u8 *)a, sizeof(a)); }
