#include "bpf.h"
SEC("tc") int prog(void *ctx) { const char fmt[] = "value %d of %s\n"; trace_printk(fmt, sizeof(fmt), 3, "x"); return 0; }
const char *names[] = {"zero", "one", "two", "three \xe2\x82\xac", "", "a;b#c//d/*e*/"};
int length(const char *s) { int n = 0; while (*s++) n++; return n; }
int use(u32 i) { return length(names[i % 6]) + length("literal; with # marks // and /* */"); }
LICENSE;
