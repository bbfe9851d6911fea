# clang-19 -target bpf -mcpu=v3 -O2 -gline-tables-only -S -o - states.c
	.text
	.file	"states.c"
	.globl	states_fill                     # -- Begin function states_fill
	.p2align	3
	.type	states_fill,@function
states_fill:                            # @states_fill
	.file	0 "." "states.c"
	.loc	0 11 0                          # states.c:11:0
# %bb.0:
	w1 = 7
	r2 = 0
LBB0_1:                                 # =>This Inner Loop Header: Depth=1
	.loc	0 14 11 prologue_end            # states.c:14:11
	w1 *= 1103515245
	.loc	0 14 24 is_stmt 0               # states.c:14:24
	w1 += 12345
	.loc	0 15 20 is_stmt 1               # states.c:15:20
	w3 = w1
	w3 >>= 16
	.loc	0 15 26 is_stmt 0               # states.c:15:26
	w3 &= 31
	.loc	0 16 22 is_stmt 1               # states.c:16:22
	if w3 > 15 goto LBB0_5
# %bb.2:                                #   in Loop: Header=BB0_1 Depth=1
	.loc	0 16 40 is_stmt 0               # states.c:16:40
	w3 += 97
LBB0_3:                                 #   in Loop: Header=BB0_1 Depth=1
	.loc	0 0 40                          # states.c:0:40
	w4 = w3
LBB0_4:                                 #   in Loop: Header=BB0_1 Depth=1
	.loc	0 16 20                         # states.c:16:20
	r3 = states_text ll
	r3 += r2
	*(u8 *)(r3 + 0) = w4
	.loc	0 13 30 is_stmt 1               # states.c:13:30
	r2 += 1
	.loc	0 13 3 is_stmt 0                # states.c:13:3
	if r2 == 2048 goto LBB0_9
	goto LBB0_1
LBB0_5:                                 #   in Loop: Header=BB0_1 Depth=1
	.loc	0 16 51 is_stmt 1               # states.c:16:51
	if w3 > 23 goto LBB0_7
# %bb.6:                                #   in Loop: Header=BB0_1 Depth=1
	.loc	0 16 69 is_stmt 0               # states.c:16:69
	w3 |= 32
	goto LBB0_3
LBB0_7:                                 #   in Loop: Header=BB0_1 Depth=1
	.loc	0 0 69                          # states.c:0:69
	w4 = 34
	.loc	0 16 87                         # states.c:16:87
	if w3 < 26 goto LBB0_4
# %bb.8:                                #   in Loop: Header=BB0_1 Depth=1
	.loc	0 0 87                          # states.c:0:87
	w4 = 32
	goto LBB0_4
LBB0_9:
	.loc	0 18 3 is_stmt 1                # states.c:18:3
	w0 = 0
	exit
.Lfunc_end0:
	.size	states_fill, .Lfunc_end0-states_fill
                                        # -- End function
	.globl	states_scan                     # -- Begin function states_scan
	.p2align	3
	.type	states_scan,@function
states_scan:                            # @states_scan
	.loc	0 21 0                          # states.c:21:0
# %bb.0:
	w2 = 0
	r4 = 0
	w5 = 0
	w1 = 0
	w3 = 0
	goto LBB1_3
LBB1_2:                                 #   in Loop: Header=BB1_3 Depth=1
	.loc	0 24 30 prologue_end            # states.c:24:30
	r4 += 1
	.loc	0 24 3 is_stmt 0                # states.c:24:3
	if r4 == 2048 goto LBB1_21
LBB1_3:                                 # =>This Inner Loop Header: Depth=1
	.loc	0 25 12 is_stmt 1               # states.c:25:12
	r0 = states_text ll
	r0 += r4
	w0 = *(u8 *)(r0 + 0)
	.loc	0 26 5                          # states.c:26:5
	if w5 s> 1 goto LBB1_9
# %bb.4:                                #   in Loop: Header=BB1_3 Depth=1
	if w5 == 0 goto LBB1_12
# %bb.5:                                #   in Loop: Header=BB1_3 Depth=1
	.loc	0 33 22                         # states.c:33:22
	if w0 == 32 goto LBB1_7
# %bb.6:                                #   in Loop: Header=BB1_3 Depth=1
	.loc	0 0 22 is_stmt 0                # states.c:0:22
	w5 = 1
	.loc	0 33 22                         # states.c:33:22
	if w0 != 34 goto LBB1_2
LBB1_7:                                 #   in Loop: Header=BB1_3 Depth=1
	.loc	0 0 22                          # states.c:0:22
	w5 = 0
	.loc	0 35 19 is_stmt 1               # states.c:35:19
	if w0 == 32 goto LBB1_1
# %bb.8:                                #   in Loop: Header=BB1_3 Depth=1
	.loc	0 0 19 is_stmt 0                # states.c:0:19
	w5 = 3
LBB1_1:                                 #   in Loop: Header=BB1_3 Depth=1
	.loc	0 34 16 is_stmt 1               # states.c:34:16
	w2 += 1
	goto LBB1_2
LBB1_9:                                 #   in Loop: Header=BB1_3 Depth=1
	.loc	0 26 5                          # states.c:26:5
	if w5 == 2 goto LBB1_16
# %bb.10:                               #   in Loop: Header=BB1_3 Depth=1
	.loc	0 0 5 is_stmt 0                 # states.c:0:5
	w5 = 3
	.loc	0 45 13 is_stmt 1               # states.c:45:13
	if w0 != 34 goto LBB1_2
# %bb.11:                               #   in Loop: Header=BB1_3 Depth=1
	.loc	0 0 13 is_stmt 0                # states.c:0:13
	w5 = 0
	.loc	0 46 18 is_stmt 1               # states.c:46:18
	w1 += 1
	goto LBB1_2
LBB1_16:                                #   in Loop: Header=BB1_3 Depth=1
	.loc	0 39 21                         # states.c:39:21
	if w0 < 48 goto LBB1_18
# %bb.17:                               #   in Loop: Header=BB1_3 Depth=1
	.loc	0 0 21 is_stmt 0                # states.c:0:21
	w5 = 2
	.loc	0 39 21                         # states.c:39:21
	if w0 < 58 goto LBB1_2
LBB1_18:                                #   in Loop: Header=BB1_3 Depth=1
	.loc	0 0 21                          # states.c:0:21
	w5 = 0
	.loc	0 40 18 is_stmt 1               # states.c:40:18
	w3 += 1
	.loc	0 41 19                         # states.c:41:19
	if w0 == 32 goto LBB1_2
# %bb.19:                               #   in Loop: Header=BB1_3 Depth=1
	.loc	0 0 19 is_stmt 0                # states.c:0:19
	w5 = 3
	.loc	0 41 40                         # states.c:41:40
	if w0 == 34 goto LBB1_2
# %bb.20:                               #   in Loop: Header=BB1_3 Depth=1
	.loc	0 0 40                          # states.c:0:40
	goto LBB1_15
LBB1_12:                                #   in Loop: Header=BB1_3 Depth=1
	w5 = 3
	.loc	0 28 13 is_stmt 1               # states.c:28:13
	if w0 == 34 goto LBB1_2
# %bb.13:                               #   in Loop: Header=BB1_3 Depth=1
	.loc	0 0 13 is_stmt 0                # states.c:0:13
	w5 = 2
	.loc	0 29 27 is_stmt 1               # states.c:29:27
	w6 = w0
	w6 += -48
	w6 &= 255
	if w6 < 10 goto LBB1_2
# %bb.14:                               #   in Loop: Header=BB1_3 Depth=1
	.loc	0 0 27 is_stmt 0                # states.c:0:27
	w5 = 0
	.loc	0 30 18 is_stmt 1               # states.c:30:18
	if w0 == 32 goto LBB1_2
LBB1_15:                                #   in Loop: Header=BB1_3 Depth=1
	.loc	0 0 18 is_stmt 0                # states.c:0:18
	w5 = 1
	goto LBB1_2
LBB1_21:
	.loc	0 52 16 is_stmt 1               # states.c:52:16
	r4 = states_words ll
	w5 = *(u32 *)(r4 + 0)
	w5 += w2
	*(u32 *)(r4 + 0) = w5
	.loc	0 53 18                         # states.c:53:18
	r2 = states_numbers ll
	w4 = *(u32 *)(r2 + 0)
	w4 += w3
	*(u32 *)(r2 + 0) = w4
	.loc	0 54 18                         # states.c:54:18
	r2 = states_strings ll
	w3 = *(u32 *)(r2 + 0)
	w3 += w1
	*(u32 *)(r2 + 0) = w3
	.loc	0 55 3                          # states.c:55:3
	w0 = 0
	exit
.Lfunc_end1:
	.size	states_scan, .Lfunc_end1-states_scan
                                        # -- End function
	.section	xdp,"ax",@progbits
	.globl	states                          # -- Begin function states
	.p2align	3
	.type	states,@function
states:                                 # @states
# %bb.0:
	.loc	0 59 3 prologue_end             # states.c:59:3
	call states_fill
	.loc	0 60 50                         # states.c:60:50
	r1 = states_strings ll
	w2 = 0
	*(u32 *)(r1 + 0) = w2
	.loc	0 60 33 is_stmt 0               # states.c:60:33
	r1 = states_numbers ll
	*(u32 *)(r1 + 0) = w2
	.loc	0 60 16                         # states.c:60:16
	r1 = states_words ll
	*(u32 *)(r1 + 0) = w2
	w6 = 100
LBB2_1:                                 # =>This Inner Loop Header: Depth=1
	.loc	0 61 45 is_stmt 1               # states.c:61:45
	call states_scan
	.loc	0 61 29 is_stmt 0               # states.c:61:29
	w6 += -1
	.loc	0 61 3                          # states.c:61:3
	if w6 == 0 goto LBB2_2
	goto LBB2_1
LBB2_2:
	.loc	0 62 16 is_stmt 1               # states.c:62:16
	r1 = states_words ll
	w1 = *(u32 *)(r1 + 0)
	.loc	0 62 38 is_stmt 0               # states.c:62:38
	r2 = states_numbers ll
	w0 = *(u32 *)(r2 + 0)
	.loc	0 62 36                         # states.c:62:36
	w0 *= 1000
	.loc	0 62 29                         # states.c:62:29
	w0 += w1
	.loc	0 62 65                         # states.c:62:65
	r1 = states_strings ll
	w1 = *(u32 *)(r1 + 0)
	.loc	0 62 63                         # states.c:62:63
	w1 *= 1000000
	.loc	0 62 53                         # states.c:62:53
	w0 += w1
	.loc	0 62 3                          # states.c:62:3
	exit
.Lfunc_end2:
	.size	states, .Lfunc_end2-states
                                        # -- End function
	.type	states_text,@object             # @states_text
	.section	.bss,"aw",@nobits
	.globl	states_text
states_text:
	.zero	2048
	.size	states_text, 2048

	.type	states_words,@object            # @states_words
	.globl	states_words
	.p2align	2, 0x0
states_words:
	.long	0                               # 0x0
	.size	states_words, 4

	.type	states_numbers,@object          # @states_numbers
	.globl	states_numbers
	.p2align	2, 0x0
states_numbers:
	.long	0                               # 0x0
	.size	states_numbers, 4

	.type	states_strings,@object          # @states_strings
	.globl	states_strings
	.p2align	2, 0x0
states_strings:
	.long	0                               # 0x0
	.size	states_strings, 4
