#include "bpf.h"
u64 x; u32 y;
void add(u64 *p, u64 v) { __sync_fetch_and_add(p, v); }
#if __BPF_CPU_VERSION__ >= 3 || defined(ALU32)
u64 fadd(u64 *p, u64 v) { return __sync_fetch_and_add(p, v); }
u64 fsub(u64 *p, u64 v) { return __sync_fetch_and_sub(p, v); }
u64 fand(u64 *p, u64 v) { return __sync_fetch_and_and(p, v); }
u64 forr(u64 *p, u64 v) { return __sync_fetch_and_or(p, v); }
u64 fxor(u64 *p, u64 v) { return __sync_fetch_and_xor(p, v); }
u64 xchg(u64 *p, u64 v) { return __sync_lock_test_and_set(p, v); }
u64 cas(u64 *p, u64 o, u64 n) { return __sync_val_compare_and_swap(p, o, n); }
u32 fadd32(u32 *p, u32 v) { return __sync_fetch_and_add(p, v); }
u32 fand32(u32 *p, u32 v) { return __sync_fetch_and_and(p, v); }
u32 for32(u32 *p, u32 v) { return __sync_fetch_and_or(p + 3, v); }
u32 fxor32(u32 *p, u32 v) { return __sync_fetch_and_xor(p, v); }
u32 xchg32(u32 *p, u32 v) { return __sync_lock_test_and_set(p, v); }
u32 cas32(u32 *p, u32 o, u32 n) { return __sync_val_compare_and_swap(p, o, n); }
void and_only(u64 *p, u64 v) { __sync_fetch_and_and(p, v); __sync_fetch_and_or(p + 1, v); __sync_fetch_and_xor(p - 1, v); }
u64 loop(void) { u64 o; do o = x; while (!__sync_bool_compare_and_swap(&x, o, o + 3)); return o; }
#endif
