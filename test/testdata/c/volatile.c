#include "bpf.h"
u64 poll(volatile u32 *r) { while (!(r[0] & 1)) ; r[1] = 5; r[2]++; return r[3]; }
volatile u8 b; volatile u16 h; volatile u32 w; volatile u64 d;
void all(void) { b = 1; h = 2; w = 3; d = 4; b = h; w = d; d = b; h += 5; w ^= 0xff; }
