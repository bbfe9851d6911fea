/* Ones' complement checksum (RFC 1071) of a packet's 1400 bytes behind its Ethernet header, carry added at once. */
#include "bench.h"

#define HEADER 14
#define SIZE 1400

PROGRAM int checksum(struct xdp_md *ctx) {
  u8 *data = (u8 *)(long)ctx->data;
  u8 *end = (u8 *)(long)ctx->data_end;
  if (data + HEADER + SIZE > end) return -1;
  u32 sum = 0;
  for (u32 round = 0; round < 60; round++) {
    for (u32 i = 0; i < SIZE; i += 2) {
      sum += *(u16 *)(data + HEADER + i);
      sum = (sum & 0xffff) + (sum >> 16);
    }
  }
  return (int)(~sum & 0xffff);
}
