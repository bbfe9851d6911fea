#include "bpf.h"
SEC("socket/one") int a(void *c) { return 1; }
SEC("tp/syscalls/sys_enter_openat") int b(void *c) { return 2; }
SEC("classifier") int c(void *ctx) { return 3; }
SEC("kprobe/do_sys_open+4") int d(void *ctx) { return 4; }
SEC("fentry.s/bpf_prog_test_run") int e(void *ctx) { return 5; }
SEC("xdp.frags/devmap") int f(void *ctx) { return 6; }
SEC(".data.mine") int g = 3; SEC(".rodata.mine") const int h = 4; SEC(".bss.mine") int i;
SEC("?xdp") int optional(void *ctx) { return g + h + i; }
u32 _version SEC("version") = 0x60000;
LICENSE;
