#include "bpf.h"
struct task { int pid; struct task *parent; struct { int a; char comm[16]; } in; } __attribute__((preserve_access_index));
SEC("tp") int prog(struct task *t) {
#ifdef CORE
  return __builtin_preserve_access_index(t->parent->pid) + (int)__builtin_preserve_field_info(t->in.a, 0);
#else
  return t->pid + t->in.a;
#endif
}
LICENSE;
