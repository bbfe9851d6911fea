# clang-19 -target bpf -mcpu=v3 -O2 -gline-tables-only -S -o - sieve.c
	.text
	.file	"sieve.c"
	.globl	sieve_strike                    # -- Begin function sieve_strike
	.p2align	3
	.type	sieve_strike,@function
sieve_strike:                           # @sieve_strike
	.file	0 "." "sieve.c"
	.loc	0 10 0                          # sieve.c:10:0
# %bb.0:
	w1 = 0
	w2 = 4
	r3 = 2
	r4 = 5
	.loc	0 11 13 prologue_end            # sieve.c:11:13
	r5 = sieve_mark ll
	w5 = *(u8 *)(r5 + 0)
	goto LBB0_1
LBB0_4:                                 #   Parent Loop BB0_1 Depth=1
                                        # =>  This Inner Loop Header: Depth=2
	.loc	0 16 60                         # sieve.c:16:60
	r6 = sieve_struck ll
	r6 += r0
	*(u8 *)(r6 + 0) = w5
	.loc	0 16 38 is_stmt 0               # sieve.c:16:38
	r0 += r3
	.loc	0 16 5                          # sieve.c:16:5
	if r0 < 4096 goto LBB0_4
LBB0_5:                                 #   in Loop: Header=BB0_1 Depth=1
	.loc	0 13 3 is_stmt 1                # sieve.c:13:3
	w2 += w4
	r4 += 2
	.loc	0 13 31 is_stmt 0               # sieve.c:13:31
	r3 += 1
	.loc	0 13 3                          # sieve.c:13:3
	if r3 == 4096 goto LBB0_6
LBB0_1:                                 # =>This Loop Header: Depth=1
                                        #     Child Loop BB0_4 Depth 2
	.loc	0 14 9 is_stmt 1                # sieve.c:14:9
	r0 = sieve_struck ll
	r0 += r3
	w0 = *(u8 *)(r0 + 0)
	if w0 == w5 goto LBB0_5
# %bb.2:                                #   in Loop: Header=BB0_1 Depth=1
	.loc	0 15 11                         # sieve.c:15:11
	w1 += 1
	.loc	0 16 20                         # sieve.c:16:20
	r0 = r3
	r0 *= r0
	.loc	0 16 5 is_stmt 0                # sieve.c:16:5
	if r0 > 4095 goto LBB0_5
# %bb.3:                                #   in Loop: Header=BB0_1 Depth=1
	.loc	0 0 5                           # sieve.c:0:5
	r0 = r2
	goto LBB0_4
LBB0_6:
	.loc	0 18 16 is_stmt 1               # sieve.c:18:16
	r2 = sieve_primes ll
	w3 = *(u32 *)(r2 + 0)
	w3 += w1
	*(u32 *)(r2 + 0) = w3
	.loc	0 19 3                          # sieve.c:19:3
	w0 = 0
	exit
.Lfunc_end0:
	.size	sieve_strike, .Lfunc_end0-sieve_strike
                                        # -- End function
	.section	xdp,"ax",@progbits
	.globl	sieve                           # -- Begin function sieve
	.p2align	3
	.type	sieve,@function
sieve:                                  # @sieve
# %bb.0:
	.loc	0 23 16 prologue_end            # sieve.c:23:16
	r1 = sieve_primes ll
	w2 = 0
	*(u32 *)(r1 + 0) = w2
	w6 = 1
	r7 = sieve_mark ll
LBB1_1:                                 # =>This Inner Loop Header: Depth=1
	.loc	0 25 16                         # sieve.c:25:16
	*(u8 *)(r7 + 0) = w6
	.loc	0 26 5                          # sieve.c:26:5
	call sieve_strike
	.loc	0 24 29                         # sieve.c:24:29
	w6 += 1
	.loc	0 24 3 is_stmt 0                # sieve.c:24:3
	if w6 == 61 goto LBB1_2
	goto LBB1_1
LBB1_2:
	.loc	0 28 15 is_stmt 1               # sieve.c:28:15
	r1 = sieve_primes ll
	w0 = *(u32 *)(r1 + 0)
	.loc	0 28 3 is_stmt 0                # sieve.c:28:3
	exit
.Lfunc_end1:
	.size	sieve, .Lfunc_end1-sieve
                                        # -- End function
	.type	sieve_mark,@object              # @sieve_mark
	.section	.bss,"aw",@nobits
	.globl	sieve_mark
sieve_mark:
	.byte	0                               # 0x0
	.size	sieve_mark, 1

	.type	sieve_struck,@object            # @sieve_struck
	.globl	sieve_struck
sieve_struck:
	.zero	4096
	.size	sieve_struck, 4096

	.type	sieve_primes,@object            # @sieve_primes
	.globl	sieve_primes
	.p2align	2, 0x0
sieve_primes:
	.long	0                               # 0x0
	.size	sieve_primes, 4
