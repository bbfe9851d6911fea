/* Program-local calls: three small functions, one of which calls another. */
#include "bench.h"

u64 calls_state;

static __attribute__((noinline)) u64 rotate(u64 x, u32 by) {
  return x << (by & 63) | x >> (-by & 63);
}

static __attribute__((noinline)) u64 mix(u64 a, u64 b) {
  return rotate(a + b, 23) ^ b;
}

static __attribute__((noinline)) u64 add(u64 a, u64 b, u64 c) {
  return a + (b ^ c);
}

APART int calls_loop(void) {
  u64 a = calls_state;
  u64 b = 0x9e3779b97f4a7c15ull;
  for (u32 i = 0; i < 2000; i++) {
    a = mix(a, b);
    b = add(b, a, i);
  }
  calls_state = a ^ b;
  return 0;
}

PROGRAM int calls(struct xdp_md *ctx) {
  calls_state = 1;
  for (u32 round = 0; round < 100; round++) calls_loop();
  return (int)calls_state;
}
