#include "bpf.h"
struct bpf_map_def { u32 type, key_size, value_size, max_entries, map_flags; };
struct bpf_map_def SEC("maps") hash_map = { 1, 4, 8, 256, 0 };
struct bpf_map_def SEC("maps") array_map = { .type = 2, .key_size = 4, .value_size = 16, .max_entries = 4 };
SEC("socket") int prog(struct xdp_md *ctx) { u32 k = 1; u64 *v = map_lookup(&hash_map, &k); u64 *w = map_lookup(&array_map, &k); return v && w ? *v + *w : 0; }
LICENSE;
