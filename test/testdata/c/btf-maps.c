#include "bpf.h"
struct key { u32 ip; u16 port; u16 pad; };
struct value { u64 packets; u64 bytes; };
struct { __uint(type, 1); __type(key, struct key); __type(value, struct value); __uint(max_entries, 1024); __uint(map_flags, 1); } flows SEC(".maps");
struct { __uint(type, 2); __type(key, u32); __type(value, u64); __uint(max_entries, 16); } counters SEC(".maps");
struct { __uint(type, 3); __uint(key_size, 4); __uint(value_size, 4); __uint(max_entries, 8); } jumps SEC(".maps");
SEC("xdp") int count(struct xdp_md *ctx) {
  struct key k = { .ip = ctx->ingress_ifindex, .port = 80 };
  struct value init = { 1, 60 }, *v = map_lookup(&flows, &k);
  if (!v) { map_update(&flows, &k, &init, 0); return 2; }
  __sync_fetch_and_add(&v->packets, 1); v->bytes += DATA_END(ctx) - DATA(ctx);
  u32 i = 3; u64 *c = map_lookup(&counters, &i); if (c) *c += 1;
  tail_call(ctx, &jumps, 2);
  map_delete(&flows, &k);
  return 1;
}
LICENSE;
