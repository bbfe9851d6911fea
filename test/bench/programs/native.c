/*
 * Runs one of the programs as native code: `native NAME RUNS` prints its result and the processor time of
 * all runs in nanoseconds. Linux, or another system with POSIX clocks.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench.h"

#define PROGRAMS(each) each(alu64) each(alu32) each(hash) each(sieve) each(calls) each(recursion) each(checksum) each(states)
#define DECLARE(name) int name(struct xdp_md *ctx);
#define ROW(name) {#name, name},

PROGRAMS(DECLARE)

static const struct {
  const char *name;
  int (*run)(struct xdp_md *ctx);
} programs[] = {PROGRAMS(ROW)};

static u8 packet[1514];

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  for (u32 i = 0; i < sizeof packet; i++) packet[i] = i * 7 + (i >> 8);
  struct xdp_md ctx = {(unsigned long)packet, (unsigned long)packet + sizeof packet};
  long runs = atol(argv[2]);
  for (u32 i = 0; i < sizeof programs / sizeof *programs; i++) {
    if (strcmp(programs[i].name, argv[1]) != 0) continue;
    struct timespec begin, end;
    int result = programs[i].run(&ctx);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
    for (long run = 0; run < runs; run++) result = programs[i].run(&ctx);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
    printf("%u %lld\n", (u32)result,
           (end.tv_sec - begin.tv_sec) * 1000000000ll + (end.tv_nsec - begin.tv_nsec));
    return 0;
  }
  return 2;
}
