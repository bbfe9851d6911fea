#include "bpf.h"
int g = 5; int zero; static int s = 7; static int szero; const int c = 9; static const u16 table[8] = {1, 2, 3, 5, 8, 13, 21, 34};
char text[] = "hello\n\t\"quoted\"\\ \001\377 end"; const char *ptr = "pointed at"; int *gp = &g; static int arr[100]; u64 big = 0x1122334455667788;
struct pair { u8 a; u32 b; u64 c; } pairs[2] = {{1, 2, 3}, {4, 5, 6}}; volatile int vol = 3;
extern int elsewhere; extern int weak_elsewhere __attribute__((weak));
SEC("tc") int prog(u32 i) { szero += s; arr[i & 63] = table[i & 7]; vol++; return g + zero + s + c + szero + *gp + pairs[i & 1].b + text[i & 3] + ptr[0] + big + arr[3]; }
SEC("tc") int externs(void) { return elsewhere + (&weak_elsewhere ? weak_elsewhere : 0); }
LICENSE;
