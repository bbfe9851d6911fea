/* Recursion, as deep as eight frames allow. The kernel's verifier refuses it. */
#include "bench.h"

static __attribute__((noinline)) u32 fibonacci(u32 n) {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

PROGRAM int recursion(struct xdp_md *ctx) {
  u32 sum = 0;
  for (u32 i = 0; i < 20000; i++) sum = sum * 31 + fibonacci(3 + (sum + i) % 4);
  return (int)sum;
}
