# clang-19 -target bpf -mcpu=v3 -O2 -gline-tables-only -S -o - alu64.c
	.text
	.file	"alu64.c"
	.globl	alu64_chain                     # -- Begin function alu64_chain
	.p2align	3
	.type	alu64_chain,@function
alu64_chain:                            # @alu64_chain
	.file	0 "." "alu64.c"
	.loc	0 6 0                           # alu64.c:6:0
# %bb.0:
	w1 = 4000
	.loc	0 7 11 prologue_end             # alu64.c:7:11
	r2 = alu64_state ll
	r2 = *(u64 *)(r2 + 0)
LBB0_1:                                 # =>This Inner Loop Header: Depth=1
	.loc	0 9 12                          # alu64.c:9:12
	r3 = r2
	r3 <<= 13
	.loc	0 9 7 is_stmt 0                 # alu64.c:9:7
	r3 ^= r2
	.loc	0 10 12 is_stmt 1               # alu64.c:10:12
	r4 = r3
	r4 >>= 7
	.loc	0 10 7 is_stmt 0                # alu64.c:10:7
	r4 ^= r3
	.loc	0 11 12 is_stmt 1               # alu64.c:11:12
	r2 = r4
	r2 <<= 17
	.loc	0 11 7 is_stmt 0                # alu64.c:11:7
	r2 ^= r4
	.loc	0 8 21 is_stmt 1                # alu64.c:8:21
	w1 += -1
	.loc	0 8 3 is_stmt 0                 # alu64.c:8:3
	if w1 == 0 goto LBB0_2
	goto LBB0_1
LBB0_2:
	.loc	0 13 15 is_stmt 1               # alu64.c:13:15
	r1 = alu64_state ll
	*(u64 *)(r1 + 0) = r2
	.loc	0 14 3                          # alu64.c:14:3
	w0 = 0
	exit
.Lfunc_end0:
	.size	alu64_chain, .Lfunc_end0-alu64_chain
                                        # -- End function
	.section	xdp,"ax",@progbits
	.globl	alu64                           # -- Begin function alu64
	.p2align	3
	.type	alu64,@function
alu64:                                  # @alu64
# %bb.0:
	.loc	0 18 15 prologue_end            # alu64.c:18:15
	r1 = alu64_state ll
	r2 = 88172645463325252 ll
	*(u64 *)(r1 + 0) = r2
	w6 = 100
LBB1_1:                                 # =>This Inner Loop Header: Depth=1
	.loc	0 19 45                         # alu64.c:19:45
	call alu64_chain
	.loc	0 19 29 is_stmt 0               # alu64.c:19:29
	w6 += -1
	.loc	0 19 3                          # alu64.c:19:3
	if w6 == 0 goto LBB1_2
	goto LBB1_1
LBB1_2:
	.loc	0 20 16 is_stmt 1               # alu64.c:20:16
	r1 = alu64_state ll
	r0 = *(u64 *)(r1 + 0)
	.loc	0 20 28 is_stmt 0               # alu64.c:20:28
	r0 >>= 7
                                        # kill: def $w0 killed $w0 killed $r0
	.loc	0 20 3                          # alu64.c:20:3
	exit
.Lfunc_end1:
	.size	alu64, .Lfunc_end1-alu64
                                        # -- End function
	.type	alu64_state,@object             # @alu64_state
	.section	.bss,"aw",@nobits
	.globl	alu64_state
	.p2align	3, 0x0
alu64_state:
	.quad	0                               # 0x0
	.size	alu64_state, 8
