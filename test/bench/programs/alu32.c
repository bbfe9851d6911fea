/* Loop of 32-bit arithmetic: a linear congruential generator, mixed into a sum as Murmur mixes words. */
#include "bench.h"

u32 alu32_state;
u32 alu32_sum;

APART int alu32_mix(void) {
  u32 x = alu32_state;
  u32 sum = alu32_sum;
  for (u32 i = 0; i < 3000; i++) {
    x = x * 1664525 + 1013904223;
    u32 k = x ^ x >> 15;
    sum ^= k;
    sum = sum << 13 | sum >> 19;
    sum = sum * 5 + 0xe6546b64;
  }
  alu32_state = x;
  alu32_sum = sum;
  return 0;
}

PROGRAM int alu32(struct xdp_md *ctx) {
  alu32_state = 1;
  alu32_sum = 0;
  for (u32 round = 0; round < 100; round++) alu32_mix();
  return (int)alu32_sum;
}
