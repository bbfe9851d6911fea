#include "bpf.h"
NOINLINE u32 even(u32 n); NOINLINE u32 odd(u32 n);
u32 even(u32 n) { return n == 0 ? 1 : odd(n - 1) + 1; }
u32 odd(u32 n) { return n == 0 ? 0 : even(n - 1) * 2; }
static NOINLINE u32 fact(u32 n) { return n < 2 ? 1 : n * fact(n - 1); }
u32 run(u32 n) { return fact(n) + even(n); }
