#include "bpf.h"
typedef unsigned __int128 u128;
void add(u128 *r, u128 *a, u128 *b) { *r = *a + *b; }
void shift(u128 *r, u128 *a) { *r = (*a << 3) ^ (*a >> 9); }
int less(u128 *a, u128 *b) { return *a < *b; }
u128 value = ((u128)0x0123456789abcdefULL << 64) | 0xfedcba9876543210ULL;
