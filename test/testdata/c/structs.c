#include "bpf.h"
struct s { u64 a, b; u32 c; u8 d[3]; };
NOINLINE u64 take(struct s *p) { return p->a + p->c + p->d[1]; }
u64 local(u32 x) { struct s v = {1, x, 3, {4, 5, 6}}; struct s w = v; w.d[1] = x; return take(&v) + take(&w); }
void copy(struct s *d, struct s *s) { *d = *s; __builtin_memset(s, 0, sizeof(*s)); }
u64 array(u32 i) { u64 a[8] = {1, 2, 3, 4, 5, 6, 7, 8}; volatile u32 k = i; return a[k & 7]; }
