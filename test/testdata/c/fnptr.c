#include "bpf.h"
static NOINLINE int cb(u32 i, void *ctx) { *(u64 *)ctx += i; return 0; }
static long (*loop)(u32 n, void *fn, void *ctx, u64 flags) = (void *)181;
int other(int a);
int (*pick)(int) = other;
NOINLINE int other(int a) { return a + 2; }
SEC("tc") int prog(void *ctx) { u64 s = 0; loop(10, cb, &s, 0); return s + ((long)other & 1); }
LICENSE;
