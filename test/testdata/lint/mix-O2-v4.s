	.text
	.file	"mix.c"
	.globl	glob                            # -- Begin function glob
	.p2align	3
	.type	glob,@function
glob:                                   # @glob
# %bb.0:
	w0 = w2
	w0 *= w1
	w3 += 1
	w0 /= w3
	exit
.Lfunc_end0:
	.size	glob, .Lfunc_end0-glob
                                        # -- End function
	.section	xdp,"ax",@progbits
	.globl	prog                            # -- Begin function prog
	.p2align	3
	.type	prog,@function
prog:                                   # @prog
# %bb.0:
	w2 = 2
	w3 = *(u32 *)(r1 + 4)
	w8 = *(u32 *)(r1 + 0)
	r1 = r8
	r1 += 34
	if r1 > r3 goto LBB1_14
# %bb.1:
	w1 = *(u8 *)(r8 + 12)
	*(u32 *)(r10 - 4) = w1
	r2 = r10
	r2 += -4
	r1 = counts ll
	call 1
	r1 = r0
	call bump
	w3 = *(u8 *)(r8 + 0)
	*(u32 *)(r10 - 36) = w3
	w6 = *(u8 *)(r8 + 1)
	*(u32 *)(r10 - 32) = w6
	w7 = *(u8 *)(r8 + 2)
	*(u32 *)(r10 - 28) = w7
	w1 = *(u8 *)(r8 + 3)
	*(u32 *)(r10 - 24) = w1
	w1 = *(u8 *)(r8 + 4)
	*(u32 *)(r10 - 20) = w1
	w1 = *(u8 *)(r8 + 5)
	*(u32 *)(r10 - 16) = w1
	w1 = *(u8 *)(r8 + 6)
	*(u32 *)(r10 - 12) = w1
	w1 = *(u8 *)(r8 + 7)
	*(u32 *)(r10 - 8) = w1
	r1 = 7216209640863589736 ll
	*(u64 *)(r10 - 48) = r1
	*(u16 *)(r10 - 40) = 10
	r1 = r10
	r1 += -48
	w2 = 10
	call 6
	r1 = r10
	r1 += -36
	call sum
	w9 = w0
	w8 = *(u32 *)(r10 - 4)
	w1 = w8
	w2 = w6
	w3 = w7
	call glob
	w0 += w9
	if w8 s> 2 goto LBB1_4
# %bb.2:
	w1 = 17
	if w8 == 1 goto LBB1_12
# %bb.3:
	if w8 == 2 goto LBB1_7
	goto LBB1_11
LBB1_7:
	w1 = 4
	goto LBB1_12
LBB1_4:
	if w8 == 3 goto LBB1_8
# %bb.5:
	if w8 == 4 goto LBB1_9
# %bb.6:
	if w8 == 5 goto LBB1_10
	goto LBB1_11
LBB1_10:
	w1 = 12
	goto LBB1_12
LBB1_8:
	w1 = 99
	goto LBB1_12
LBB1_9:
	w1 = 3
	goto LBB1_12
LBB1_11:
	w1 = 0
LBB1_12:
	w0 += w1
	w0 &= 1
	w2 = 2
	if w0 == 0 goto LBB1_14
# %bb.13:
	w2 = 1
LBB1_14:
	w0 = w2
	exit
.Lfunc_end1:
	.size	prog, .Lfunc_end1-prog
                                        # -- End function
	.text
	.p2align	3                               # -- Begin function bump
	.type	bump,@function
bump:                                   # @bump
# %bb.0:
	if r1 == 0 goto LBB2_2
# %bb.1:
	r2 = 1
	lock *(u64 *)(r1 + 0) += r2
LBB2_2:
	exit
.Lfunc_end2:
	.size	bump, .Lfunc_end2-bump
                                        # -- End function
	.p2align	3                               # -- Begin function sum
	.type	sum,@function
sum:                                    # @sum
# %bb.0:
	w2 = *(u32 *)(r1 + 28)
	w3 = *(u32 *)(r1 + 12)
	w3 += w2
	w2 = *(u32 *)(r1 + 20)
	w4 = *(u32 *)(r1 + 4)
	w4 += w2
	w4 += w3
	w2 = *(u32 *)(r1 + 24)
	w3 = *(u32 *)(r1 + 8)
	w3 += w2
	w2 = *(u32 *)(r1 + 16)
	w0 = *(u32 *)(r1 + 0)
	w0 += w2
	w0 += w3
	w0 += w4
	exit
.Lfunc_end3:
	.size	sum, .Lfunc_end3-sum
                                        # -- End function
	.section	"xdp/other","ax",@progbits
	.globl	loopy                           # -- Begin function loopy
	.p2align	3
	.type	loopy,@function
loopy:                                  # @loopy
# %bb.0:
LBB4_1:                                 # =>This Inner Loop Header: Depth=1
	call 5
	r0 &= 1
	if r0 == 0 goto LBB4_1
# %bb.2:
	w0 = 2
	exit
.Lfunc_end4:
	.size	loopy, .Lfunc_end4-loopy
                                        # -- End function
	.type	counts,@object                  # @counts
	.section	.maps,"aw",@progbits
	.globl	counts
	.p2align	3, 0x0
counts:
	.zero	32
	.size	counts, 32

	.type	.L__const.prog.fmt,@object      # @__const.prog.fmt
	.section	.rodata.str1.1,"aMS",@progbits,1
.L__const.prog.fmt:
	.asciz	"hello %d\n"
	.size	.L__const.prog.fmt, 10

	.type	lic,@object                     # @lic
	.section	license,"aw",@progbits
	.globl	lic
lic:
	.asciz	"GPL"
	.size	lic, 4

	.addrsig
	.addrsig_sym prog
	.addrsig_sym loopy
	.addrsig_sym counts
	.addrsig_sym lic
