/* Sieve of Eratosthenes: many stores, few computations. Each round strikes out with a mark of its own. */
#include "bench.h"

#define LIMIT 4096

u8 sieve_struck[LIMIT];
u8 sieve_mark;
u32 sieve_primes;

APART int sieve_strike(void) {
  u8 mark = sieve_mark;
  u32 primes = 0;
  for (u32 i = 2; i < LIMIT; i++) {
    if (sieve_struck[i] == mark) continue;
    primes++;
    for (u32 j = i * i; j < LIMIT; j += i) sieve_struck[j] = mark;
  }
  sieve_primes += primes;
  return 0;
}

PROGRAM int sieve(struct xdp_md *ctx) {
  sieve_primes = 0;
  for (u32 round = 0; round < 60; round++) {
    sieve_mark = round + 1;
    sieve_strike();
  }
  return (int)sieve_primes;
}
