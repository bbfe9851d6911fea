# clang-19 -target bpf -mcpu=v3 -O2 -gline-tables-only -S -o - checksum.c
	.text
	.file	"checksum.c"
	.section	xdp,"ax",@progbits
	.globl	checksum                        # -- Begin function checksum
	.p2align	3
	.type	checksum,@function
checksum:                               # @checksum
	.file	0 "." "checksum.c"
	.loc	0 7 0                           # checksum.c:7:0
# %bb.0:
	w0 = -1
	.loc	0 9 30 prologue_end             # checksum.c:9:30
	w2 = *(u32 *)(r1 + 4)
	.loc	0 8 31                          # checksum.c:8:31
	w1 = *(u32 *)(r1 + 0)
	.loc	0 10 21                         # checksum.c:10:21
	r3 = r1
	r3 += 1414
	.loc	0 10 7 is_stmt 0                # checksum.c:10:7
	if r3 > r2 goto LBB0_5
# %bb.1:
	.loc	0 0 7                           # checksum.c:0:7
	w2 = 0
	w0 = 0
LBB0_2:                                 # =>This Loop Header: Depth=1
                                        #     Child Loop BB0_3 Depth 2
	r3 = 14
	.loc	0 13 23 is_stmt 1               # checksum.c:13:23
	r4 = 14
LBB0_3:                                 #   Parent Loop BB0_2 Depth=1
                                        # =>  This Inner Loop Header: Depth=2
	.loc	0 14 14                         # checksum.c:14:14
	r5 = r1
	r5 += r3
	w5 = *(u16 *)(r5 + 0)
	.loc	0 14 11 is_stmt 0               # checksum.c:14:11
	w0 += w5
	.loc	0 15 35 is_stmt 1               # checksum.c:15:35
	w5 = w0
	w5 >>= 16
	.loc	0 15 18 is_stmt 0               # checksum.c:15:18
	w0 &= 65535
	.loc	0 15 28                         # checksum.c:15:28
	w0 += w5
	.loc	0 13 23 is_stmt 1               # checksum.c:13:23
	r4 += 2
	r5 = r3
	r5 += -14
	r3 = r4
	.loc	0 13 5 is_stmt 0                # checksum.c:13:5
	if r5 < 1398 goto LBB0_3
# %bb.6:                                #   in Loop: Header=BB0_2 Depth=1
	.loc	0 12 40 is_stmt 1               # checksum.c:12:40
	w2 += 1
	.loc	0 12 3 is_stmt 0                # checksum.c:12:3
	if w2 == 60 goto LBB0_4
	goto LBB0_2
LBB0_4:
	.loc	0 18 21 is_stmt 1               # checksum.c:18:21
	w0 ^= -1
	w0 &= 65535
LBB0_5:
	.loc	0 19 1                          # checksum.c:19:1
	exit
.Lfunc_end0:
	.size	checksum, .Lfunc_end0-checksum
                                        # -- End function
