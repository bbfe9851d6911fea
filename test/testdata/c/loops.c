#include "bpf.h"
u64 sum(u64 n, volatile u64 *k) { u64 s = 0; for (u64 i = 0; i < n; i++) s += i * *k; return s; }
u32 gcd(u32 a, u32 b) { while (b) { u32 t = a % b; a = b; b = t; } return a; }
u64 nested(u32 n) { u64 s = 0; for (u32 i = 0; i < n; i++) for (u32 j = i; j < 10; j++) { if (j == 5) continue; if (s > 1000) return s; s += j; } return s; }
u64 unrolled(u64 *p) { u64 s = 0;
#pragma unroll
  for (int i = 0; i < 16; i++) s += p[i]; return s; }
int down(int n) { int c = 0; do c += n & 1; while (n >>= 1); return c; }
