#include "bpf.h"
static NOINLINE int leaf(int a, int b) { return a * 31 + b; }
NOINLINE int global_leaf(int a) { return leaf(a, 3) ^ 0x55; }
__attribute__((weak)) int weak_fn(int a) { return a + 1; }
__attribute__((visibility("hidden"))) NOINLINE int hidden_fn(int a) { return a - 1; }
SEC("xdp") int first(struct xdp_md *ctx) { return leaf(ctx->data, 2) + global_leaf(5) + weak_fn(3) + hidden_fn(4); }
static NOINLINE int between(int a) { return leaf(a, a) + global_leaf(a); }
SEC("xdp") int second(struct xdp_md *ctx) { return between(ctx->data_end); }
SEC("tc") int third(struct xdp_md *ctx) { return between(1) + global_leaf(2); }
LICENSE;
