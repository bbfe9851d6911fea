#include "bpf.h"
/* v4 has signed division; before it only by constants */
#if __BPF_CPU_VERSION__ >= 4
s64 sdiv(s64 a, s64 b) { return a / b + a % b; }
s32 sdiv32(s32 a, s32 b) { return a / b - a % b; }
#endif
s64 sdivc(s64 a) { return (u64)a / 8 + (a >> 1); }
s64 smul(s64 a, s32 b) { return a * b; }
