#include "bpf.h"
__attribute__((section("xdp"), noinline)) static int helper_in(int a, int b) { return a * b + 3; }
__attribute__((section("xdp"), noinline)) int global_in(int a) { return helper_in(a, 7); }
SEC("xdp") int entry(struct xdp_md *ctx) { return helper_in(ctx->data, 9) + global_in(ctx->data_end); }
LICENSE;
