#include "bpf.h"
typedef int (*fn)(int, int);
static int add(int a, int b) { return a + b; }
static int sub(int a, int b) { return a - b; }
int apply(fn f, int a, int b) { return f(a, b); }
fn table[] = {add, sub};
int pick(u32 i, int a) { return table[i & 1](a, 3) + apply(i ? add : sub, a, 4); }
