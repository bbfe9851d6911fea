#include "bpf.h"
__attribute__((weak, noinline)) int shared(int a) { return a * 7; }
__attribute__((section(".text.cold"), noinline)) int cold(int a) { return a ^ 0x33; }
__attribute__((aligned(64))) int aligned_global[3] = {1, 2, 3};
__attribute__((aligned(32), noinline)) int aligned_fn(int a) { return a + 5; }
int use(int a) { return shared(a) + cold(a) + aligned_fn(a) + aligned_global[a & 1]; }
#if __clang_major__ < 19
int alias_target(int a) { return a * 9; } int alias(int a) __attribute__((alias("alias_target")));
#else
int alias(int a) { return a * 9; }
#endif
extern int undefined_fn(int); int call_undefined(int a) { return undefined_fn(a) + alias(a); }
