/* Hash over a buffer, byte by byte: FNV-1a with 64 bits. */
#include "bench.h"

#define SIZE 4096

u8 hash_buffer[SIZE];
u64 hash_state;

APART int hash_bytes(void) {
  u64 hash = hash_state;
  for (u32 i = 0; i < SIZE; i++) {
    hash ^= hash_buffer[i];
    hash *= 0x100000001b3ull;
  }
  hash_state = hash;
  return 0;
}

APART int hash_fill(void) {
  u32 x = 1;
  for (u32 i = 0; i < SIZE; i++) {
    x = x * 1103515245 + 12345;
    hash_buffer[i] = x >> 16;
  }
  return 0;
}

PROGRAM int hash(struct xdp_md *ctx) {
  hash_fill();
  hash_state = 0xcbf29ce484222325ull;
  for (u32 round = 0; round < 100; round++) hash_bytes();
  return (int)(hash_state ^ hash_state >> 32);
}
