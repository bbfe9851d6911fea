#include "bpf.h"
struct hdr { u32 version : 4, ihl : 4, tos : 8, len : 16; u64 a : 33, b : 20, c : 11; s32 sa : 5, sb : 27; };
u32 get(struct hdr *h) { return h->version + h->ihl * 4 + h->len; }
u64 get64(struct hdr *h) { return h->a + h->b + h->c; }
s32 gets(struct hdr *h) { return h->sa + h->sb; }
void set(struct hdr *h, u32 v) { h->version = 4; h->ihl = v; h->b = v; h->sa = -3; }
