#include "bpf.h"
SEC("xdp") int plain(void) { asm volatile("r0 = 1; exit"); return 0; }
u64 out(u64 x) { u64 r; asm volatile("%0 = %1\n\t%0 += 5" : "=r"(r) : "r"(x)); return r; }
u64 jumps(u64 x) { asm volatile("if %0 > 10 goto 1f\n%0 += 1\n1: %0 <<= 2" : "+r"(x)); return x; }
void mem(u64 *p) { asm volatile("*(u32 *)(%0 + 4) = %1; lock *(u64 *)(%0 + 8) += %2" : : "r"(p), "r"((u64)7), "r"((u64)9) : "memory"); }
u64 imm(void) { u64 r; asm volatile("%[r] = %[i] ll" : [r] "=r"(r) : [i] "i"(0x1122334455667788ULL)); return r; }
u64 comment(u64 x) { asm volatile("%0 ^= 3 // trailing\n/* block */ %0 &= 8 # hash\n" : "+r"(x)); return x; }
__attribute__((naked)) u64 naked(void) { asm volatile("r0 = 3\nr1 = r0\nr1 *= 2\nif r1 s> 5 goto l_%=\nr0 = 4\nl_%=: exit" :::); }
void empty(void) { asm volatile("" ::: "memory"); }
u64 label(void) { asm volatile("r1 = 0\n2:\nr1 += 1\nif r1 < 5 goto 2b\ngoto +1\nr1 = 0\nr0 = r1" ::: "r0", "r1"); return 0; }
LICENSE;
