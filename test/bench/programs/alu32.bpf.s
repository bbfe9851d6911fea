# clang-19 -target bpf -mcpu=v3 -O2 -gline-tables-only -S -o - alu32.c
	.text
	.file	"alu32.c"
	.globl	alu32_mix                       # -- Begin function alu32_mix
	.p2align	3
	.type	alu32_mix,@function
alu32_mix:                              # @alu32_mix
	.file	0 "." "alu32.c"
	.loc	0 7 0                           # alu32.c:7:0
# %bb.0:
	w3 = 3000
	.loc	0 9 13 prologue_end             # alu32.c:9:13
	r1 = alu32_sum ll
	w2 = *(u32 *)(r1 + 0)
	.loc	0 8 11                          # alu32.c:8:11
	r1 = alu32_state ll
	w1 = *(u32 *)(r1 + 0)
LBB0_1:                                 # =>This Inner Loop Header: Depth=1
	.loc	0 11 11                         # alu32.c:11:11
	w1 *= 1664525
	.loc	0 11 21 is_stmt 0               # alu32.c:11:21
	w1 += 1013904223
	.loc	0 12 19 is_stmt 1               # alu32.c:12:19
	w4 = w1
	w4 >>= 15
	.loc	0 13 9                          # alu32.c:13:9
	w2 ^= w4
	w2 ^= w1
	.loc	0 14 21                         # alu32.c:14:21
	w4 = w2
	w4 >>= 19
	w2 <<= 13
	w2 |= w4
	.loc	0 15 15                         # alu32.c:15:15
	w2 *= 5
	.loc	0 15 19 is_stmt 0               # alu32.c:15:19
	w2 += -430675100
	.loc	0 10 21 is_stmt 1               # alu32.c:10:21
	w3 += -1
	.loc	0 10 3 is_stmt 0                # alu32.c:10:3
	if w3 == 0 goto LBB0_2
	goto LBB0_1
LBB0_2:
	.loc	0 18 13 is_stmt 1               # alu32.c:18:13
	r3 = alu32_sum ll
	*(u32 *)(r3 + 0) = w2
	.loc	0 17 15                         # alu32.c:17:15
	r2 = alu32_state ll
	*(u32 *)(r2 + 0) = w1
	.loc	0 19 3                          # alu32.c:19:3
	w0 = 0
	exit
.Lfunc_end0:
	.size	alu32_mix, .Lfunc_end0-alu32_mix
                                        # -- End function
	.section	xdp,"ax",@progbits
	.globl	alu32                           # -- Begin function alu32
	.p2align	3
	.type	alu32,@function
alu32:                                  # @alu32
# %bb.0:
	.loc	0 24 13 prologue_end            # alu32.c:24:13
	r1 = alu32_sum ll
	w2 = 0
	*(u32 *)(r1 + 0) = w2
	.loc	0 23 15                         # alu32.c:23:15
	r1 = alu32_state ll
	w2 = 1
	*(u32 *)(r1 + 0) = w2
	w6 = 100
LBB1_1:                                 # =>This Inner Loop Header: Depth=1
	.loc	0 25 45                         # alu32.c:25:45
	call alu32_mix
	.loc	0 25 29 is_stmt 0               # alu32.c:25:29
	w6 += -1
	.loc	0 25 3                          # alu32.c:25:3
	if w6 == 0 goto LBB1_2
	goto LBB1_1
LBB1_2:
	.loc	0 26 15 is_stmt 1               # alu32.c:26:15
	r1 = alu32_sum ll
	w0 = *(u32 *)(r1 + 0)
	.loc	0 26 3 is_stmt 0                # alu32.c:26:3
	exit
.Lfunc_end1:
	.size	alu32, .Lfunc_end1-alu32
                                        # -- End function
	.type	alu32_state,@object             # @alu32_state
	.section	.bss,"aw",@nobits
	.globl	alu32_state
	.p2align	2, 0x0
alu32_state:
	.long	0                               # 0x0
	.size	alu32_state, 4

	.type	alu32_sum,@object               # @alu32_sum
	.globl	alu32_sum
	.p2align	2, 0x0
alu32_sum:
	.long	0                               # 0x0
	.size	alu32_sum, 4
