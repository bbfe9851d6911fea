#include "bpf.h"
static u32 crc_table[256]; const u8 lens[] = {0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233};
NOINLINE u32 crc(const u8 *p, u32 n) { u32 c = ~0u; for (u32 i = 0; i < n; i++) c = crc_table[(c ^ p[i]) & 0xff] ^ (c >> 8); return ~c; }
u64 fnv(const u8 *p, u32 n) { u64 h = 0xcbf29ce484222325ULL; for (u32 i = 0; i < n; i++) { h ^= p[i]; h *= 0x100000001b3ULL; } return h; }
u32 popcount(u64 x) { x = x - ((x >> 1) & 0x5555555555555555ULL); x = (x & 0x3333333333333333ULL) + ((x >> 2) & 0x3333333333333333ULL); return (((x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fULL) * 0x0101010101010101ULL) >> 56; }
u32 sort(u32 *a, u32 n) { for (u32 i = 1; i < n; i++) { u32 v = a[i]; int j = i - 1; while (j >= 0 && a[j] > v) { a[j + 1] = a[j]; j--; } a[j + 1] = v; } return lens[n % 13]; }
