#include "bpf.h"
struct eth { u8 d[6], s[6]; u16 proto; } __attribute__((packed));
struct ip { u8 vihl, tos; u16 len, id, frag; u8 ttl, proto; u16 sum; u32 src, dst; };
struct tcp { u16 sport, dport; u32 seq, ack; u16 flags, win, sum, urg; };
INLINE int parse(void *p, void *end, u16 *port) { struct eth *e = p; if ((void *)(e + 1) > end) return -1; if (e->proto != 0x0008) return 0; struct ip *i = (void *)(e + 1); if ((void *)(i + 1) > end || i->proto != 6) return -2; struct tcp *t = (void *)i + (i->vihl & 15) * 4; if ((void *)(t + 1) > end) return -3; *port = __builtin_bswap16(t->dport); return 1; }
INLINE u16 csum(u32 s) { s = (s & 0xffff) + (s >> 16); s = (s & 0xffff) + (s >> 16); return ~s; }
SEC("xdp") int filter(struct xdp_md *ctx) { u16 port = 0; int r = parse(DATA(ctx), DATA_END(ctx), &port); if (r < 0) return 1; if (r && (port == 22 || (port >= 8000 && port < 9000))) return 1; struct ip *i = DATA(ctx) + 14; if (r && (void *)(i + 1) <= DATA_END(ctx)) { i->ttl--; i->sum = csum(i->sum + 1); } return 2; }
LICENSE;
