/* Tight loop of dependent 64-bit arithmetic: xorshift (Marsaglia, "Xorshift RNGs", 2003). */
#include "bench.h"

u64 alu64_state;

APART int alu64_chain(void) {
  u64 x = alu64_state;
  for (u32 i = 0; i < 4000; i++) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
  }
  alu64_state = x;
  return 0;
}

PROGRAM int alu64(struct xdp_md *ctx) {
  alu64_state = 88172645463325252ull;
  for (u32 round = 0; round < 100; round++) alu64_chain();
  return (int)(alu64_state >> 7);
}
