#include "bpf.h"
int u(u64 a, u64 b) { if (a > b) return 1; if (a >= b + 3) return 2; if (a < 7) return 3; if (a <= 9) return 4; if (a != 55) return 5; if (a & 4) return 6; return a & b ? 7 : 8; }
int s(s64 a, s64 b) { if (a > b) return 1; if (a >= b + 3) return 2; if (a < -7) return 3; if (a <= -9) return 4; return a == b; }
int u32_(u32 a, u32 b) { if (a > b) return 1; if (a >= b + 3) return 2; if (a < 7) return 3; if (a <= 9) return 4; if (a & 4) return 6; return a & b ? 7 : 8; }
int s32_(s32 a, s32 b) { if (a > b) return 1; if (a >= b + 3) return 2; if (a < -7) return 3; if (a <= -9) return 4; return a == b; }
u64 select(u64 a, u64 b, s32 c) { return (c < 0 ? a : b) + (a < b ? 3 : 9); }
int ternary(u8 a, u16 b) { return a ? b ? 1 : 2 : b ? 3 : 4; }
