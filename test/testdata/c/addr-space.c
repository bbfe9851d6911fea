#include "bpf.h"
#if __clang_major__ >= 19
#define ARENA __attribute__((address_space(1)))
u64 load(int ARENA *p) { return *p; }
void store(u64 ARENA *p, u64 v) { p[3] = v; }
int *cast(int ARENA *p) { return (int *)p; }
int ARENA *back(int *p) { return (int ARENA *)p; }
#else
u64 load(int *p) { return *p; }
#endif
