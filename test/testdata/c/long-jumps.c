#include "bpf.h"
#define R(x) x x x x x x x x
#define STEP *p += 3; p[1] ^= *p; p[2] = p[1] * 5;
u64 far(volatile u64 *p, u64 n) { for (u64 i = 0; i < n; i++) { if (*p == 9) break; R(R(R(STEP))) if (p[3] > 4) continue; R(R(STEP)) } return *p; }
