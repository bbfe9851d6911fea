#include "bpf.h"
struct node { struct node *next; u8 b; u16 h; u32 w; u64 d; u8 tail[20]; };
u64 walk(struct node *n) { u64 s = 0; for (int i = 0; n && i < 8; i++, n = n->next) s += n->b + n->h + n->w + n->d + n->tail[i]; return s; }
void store(struct node *n, u64 v) { n->b = v; n->h = v; n->w = v; n->d = v; n->tail[19] = 7; n->next = 0; n->d = -1; n[-3].w = 0xffffffff; }
long diff(char *a, char *b) { return a - b; }
