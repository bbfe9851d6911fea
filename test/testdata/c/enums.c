#include "bpf.h"
enum verdict { DROP = 1, PASS, TX, NEG = -5 }; enum big { HUGE = 0x1ffffffffULL };
typedef enum { A, B = 7, C } letter;
union u { u32 w; u16 h[2]; u8 b[4]; float f; };
SEC("xdp") int prog(struct xdp_md *ctx) { union u v = {.w = ctx->data}; letter l = v.b[1] & 1 ? B : C; enum verdict r = l == C ? PASS : NEG; return r + v.h[1]; }
LICENSE;
