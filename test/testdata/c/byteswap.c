#include "bpf.h"
u16 s16_(u16 x) { return __builtin_bswap16(x); }
u32 s32_(u32 x) { return __builtin_bswap32(x); }
u64 s64_(u64 x) { return __builtin_bswap64(x); }
struct eth { u8 d[6], s[6]; u16 proto; };
SEC("xdp") int prog(struct xdp_md *ctx) { struct eth *e = DATA(ctx); if ((void *)(e + 1) > DATA_END(ctx)) return 0; return e->proto == __builtin_bswap16(0x0800) ? 2 : e->proto == __builtin_bswap16(0x86dd) ? 1 : __builtin_bswap32(e->proto); }
LICENSE;
