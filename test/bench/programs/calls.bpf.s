# clang-19 -target bpf -mcpu=v3 -O2 -gline-tables-only -S -o - calls.c
	.text
	.file	"calls.c"
	.globl	calls_loop                      # -- Begin function calls_loop
	.p2align	3
	.type	calls_loop,@function
calls_loop:                             # @calls_loop
	.file	0 "." "calls.c"
	.loc	0 18 0                          # calls.c:18:0
# %bb.0:
	r6 = -7046029254386353131 ll
	r7 = 0
	.loc	0 19 11 prologue_end            # calls.c:19:11
	r1 = calls_state ll
	r8 = *(u64 *)(r1 + 0)
LBB0_1:                                 # =>This Inner Loop Header: Depth=1
	.loc	0 22 9                          # calls.c:22:9
	r1 = r8
	r2 = r6
	call mix
	r8 = r0
	.loc	0 23 9                          # calls.c:23:9
	r1 = r6
	r2 = r8
	r3 = r7
	call add
	r6 = r0
	.loc	0 21 30                         # calls.c:21:30
	r7 += 1
	.loc	0 21 3 is_stmt 0                # calls.c:21:3
	if r7 == 2000 goto LBB0_2
	goto LBB0_1
LBB0_2:
	.loc	0 25 19 is_stmt 1               # calls.c:25:19
	r6 ^= r8
	.loc	0 25 15 is_stmt 0               # calls.c:25:15
	r1 = calls_state ll
	*(u64 *)(r1 + 0) = r6
	.loc	0 26 3 is_stmt 1                # calls.c:26:3
	w0 = 0
	exit
.Lfunc_end0:
	.size	calls_loop, .Lfunc_end0-calls_loop
                                        # -- End function
	.p2align	3                               # -- Begin function mix
	.type	mix,@function
mix:                                    # @mix
	.loc	0 10 0                          # calls.c:10:0
# %bb.0:
	r6 = r2
	.loc	0 11 19 prologue_end            # calls.c:11:19
	r2 += r1
	.loc	0 11 10 is_stmt 0               # calls.c:11:10
	r1 = r2
	call rotate
	.loc	0 11 28                         # calls.c:11:28
	r0 ^= r6
	.loc	0 11 3                          # calls.c:11:3
	exit
.Lfunc_end1:
	.size	mix, .Lfunc_end1-mix
                                        # -- End function
	.p2align	3                               # -- Begin function add
	.type	add,@function
add:                                    # @add
	.loc	0 14 0 is_stmt 1                # calls.c:14:0
# %bb.0:
	r0 = r3
	.loc	0 15 17 prologue_end            # calls.c:15:17
	r0 ^= r2
	.loc	0 15 12 is_stmt 0               # calls.c:15:12
	r0 += r1
	.loc	0 15 3                          # calls.c:15:3
	exit
.Lfunc_end2:
	.size	add, .Lfunc_end2-add
                                        # -- End function
	.section	xdp,"ax",@progbits
	.globl	calls                           # -- Begin function calls
	.p2align	3
	.type	calls,@function
calls:                                  # @calls
# %bb.0:
	.loc	0 30 15 prologue_end is_stmt 1  # calls.c:30:15
	r1 = calls_state ll
	r2 = 1
	*(u64 *)(r1 + 0) = r2
	w6 = 100
LBB3_1:                                 # =>This Inner Loop Header: Depth=1
	.loc	0 31 45                         # calls.c:31:45
	call calls_loop
	.loc	0 31 29 is_stmt 0               # calls.c:31:29
	w6 += -1
	.loc	0 31 3                          # calls.c:31:3
	if w6 == 0 goto LBB3_2
	goto LBB3_1
LBB3_2:
	.loc	0 32 15 is_stmt 1               # calls.c:32:15
	r1 = calls_state ll
	r0 = *(u64 *)(r1 + 0)
                                        # kill: def $w0 killed $w0 killed $r0
	.loc	0 32 3 is_stmt 0                # calls.c:32:3
	exit
.Lfunc_end3:
	.size	calls, .Lfunc_end3-calls
                                        # -- End function
	.text
	.p2align	3                               # -- Begin function rotate
	.type	rotate,@function
rotate:                                 # @rotate
	.loc	0 6 0 is_stmt 1                 # calls.c:6:0
# %bb.0:
	r0 = r1
	.loc	0 7 25 prologue_end             # calls.c:7:25
	r1 >>= 41
	r0 <<= 23
	r0 |= r1
	.loc	0 7 3 is_stmt 0                 # calls.c:7:3
	exit
.Lfunc_end4:
	.size	rotate, .Lfunc_end4-rotate
                                        # -- End function
	.type	calls_state,@object             # @calls_state
	.section	.bss,"aw",@nobits
	.globl	calls_state
	.p2align	3, 0x0
calls_state:
	.quad	0                               # 0x0
	.size	calls_state, 8
