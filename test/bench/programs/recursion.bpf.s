# clang-19 -target bpf -mcpu=v3 -O2 -gline-tables-only -S -o - recursion.c
	.text
	.file	"recursion.c"
	.section	xdp,"ax",@progbits
	.globl	recursion                       # -- Begin function recursion
	.p2align	3
	.type	recursion,@function
recursion:                              # @recursion
	.file	0 "." "recursion.c"
	.loc	0 8 0                           # recursion.c:8:0
# %bb.0:
	w6 = 0
	w7 = 0
LBB0_1:                                 # =>This Inner Loop Header: Depth=1
	.loc	0 10 71 prologue_end            # recursion.c:10:71
	w1 = w6
	w1 += w7
	.loc	0 10 76 is_stmt 0               # recursion.c:10:76
	w1 &= 3
	.loc	0 10 64                         # recursion.c:10:64
	w1 += 3
	.loc	0 10 52                         # recursion.c:10:52
	call fibonacci
	.loc	0 10 45                         # recursion.c:10:45
	w7 *= 31
	.loc	0 10 50                         # recursion.c:10:50
	w0 += w7
	.loc	0 10 31                         # recursion.c:10:31
	w6 += 1
	w7 = w0
	.loc	0 10 3                          # recursion.c:10:3
	if w6 == 20000 goto LBB0_2
	goto LBB0_1
LBB0_2:
	.loc	0 11 3 is_stmt 1                # recursion.c:11:3
	exit
.Lfunc_end0:
	.size	recursion, .Lfunc_end0-recursion
                                        # -- End function
	.text
	.p2align	3                               # -- Begin function fibonacci
	.type	fibonacci,@function
fibonacci:                              # @fibonacci
	.loc	0 4 0                           # recursion.c:4:0
# %bb.0:
	w6 = w1
	w0 = 0
	.loc	0 5 10 prologue_end             # recursion.c:5:10
	if w6 < 2 goto LBB1_3
# %bb.1:
	.loc	0 0 10 is_stmt 0                # recursion.c:0:10
	w7 = 0
LBB1_2:                                 # =>This Inner Loop Header: Depth=1
	.loc	0 5 22                          # recursion.c:5:22
	w1 = w6
	w1 += -1
	call fibonacci
	.loc	0 5 39                          # recursion.c:5:39
	w0 += w7
	.loc	0 5 53                          # recursion.c:5:53
	w6 += -2
	w7 = w0
	.loc	0 5 10                          # recursion.c:5:10
	if w6 > 1 goto LBB1_2
LBB1_3:
	.loc	0 0 10                          # recursion.c:0:10
	w6 += w0
	.loc	0 5 3                           # recursion.c:5:3
	w0 = w6
	exit
.Lfunc_end1:
	.size	fibonacci, .Lfunc_end1-fibonacci
                                        # -- End function
