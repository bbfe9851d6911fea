#include "bpf.h"
u64 load_byte(void *skb, u64 off) asm("llvm.bpf.load.byte");
u64 load_half(void *skb, u64 off) asm("llvm.bpf.load.half");
u64 load_word(void *skb, u64 off) asm("llvm.bpf.load.word");
SEC("socket") int prog(void *skb) { u64 proto = load_half(skb, 12); if (proto != 0x800) return 0; u64 len = (load_byte(skb, 14) & 15) * 4; return load_word(skb, 14 + len) + load_byte(skb, len + 13) + load_half(skb, len); }
LICENSE;
