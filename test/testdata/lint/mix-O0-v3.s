	.text
	.file	"mix.c"
	.globl	glob                            # -- Begin function glob
	.p2align	3
	.type	glob,@function
glob:                                   # @glob
# %bb.0:
	*(u32 *)(r10 - 4) = w1
	*(u32 *)(r10 - 8) = w2
	*(u32 *)(r10 - 12) = w3
	w0 = *(u32 *)(r10 - 4)
	w1 = *(u32 *)(r10 - 8)
	w0 *= w1
	w1 = *(u32 *)(r10 - 12)
	w1 += 1
	w0 /= w1
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
	*(u64 *)(r10 - 16) = r1
	r1 = *(u64 *)(r10 - 16)
	w1 = *(u32 *)(r1 + 0)
                                        # kill: def $r1 killed $w1
	*(u64 *)(r10 - 24) = r1
	r1 = *(u64 *)(r10 - 16)
	w1 = *(u32 *)(r1 + 4)
                                        # kill: def $r1 killed $w1
	*(u64 *)(r10 - 32) = r1
	r1 = *(u64 *)(r10 - 24)
	*(u64 *)(r10 - 40) = r1
	r1 = *(u64 *)(r10 - 40)
	r1 += 34
	r2 = *(u64 *)(r10 - 32)
	if r1 <= r2 goto LBB1_2
	goto LBB1_1
LBB1_1:
	w1 = 2
	*(u32 *)(r10 - 4) = w1
	goto LBB1_7
LBB1_2:
	r1 = *(u64 *)(r10 - 40)
	w1 = *(u8 *)(r1 + 12)
	*(u32 *)(r10 - 44) = w1
	r1 = bpf_map_lookup_elem ll
	r3 = *(u64 *)(r1 + 0)
	r1 = counts ll
	r2 = r10
	r2 += -44
	callx r3
	*(u64 *)(r10 - 56) = r0
	r1 = *(u64 *)(r10 - 56)
	call bump
	w1 = 0
	*(u32 *)(r10 - 92) = w1
	goto LBB1_3
LBB1_3:                                 # =>This Inner Loop Header: Depth=1
	w1 = *(u32 *)(r10 - 92)
	if w1 s> 7 goto LBB1_6
	goto LBB1_4
LBB1_4:                                 #   in Loop: Header=BB1_3 Depth=1
	r1 = *(u64 *)(r10 - 40)
	w2 = *(u32 *)(r10 - 92)
	w3 = w2
	r3 <<= 32
	r3 s>>= 32
	r1 += r3
	w1 = *(u8 *)(r1 + 0)
	r3 <<= 2
	r2 = r10
	r2 += -88
	r2 += r3
	*(u32 *)(r2 + 0) = w1
	goto LBB1_5
LBB1_5:                                 #   in Loop: Header=BB1_3 Depth=1
	w1 = *(u32 *)(r10 - 92)
	w1 += 1
	*(u32 *)(r10 - 92) = w1
	goto LBB1_3
LBB1_6:
	w2 = 10
	*(u16 *)(r10 - 96) = w2
	r1 = 7216209640863589736 ll
	*(u64 *)(r10 - 104) = r1
	r1 = bpf_trace_printk ll
	r4 = *(u64 *)(r1 + 0)
	w3 = *(u32 *)(r10 - 88)
	r1 = r10
	r1 += -104
	callx r4
	r1 = r10
	r1 += -88
	w2 = 8
	call sum
	*(u32 *)(r10 - 136) = w0
	w1 = *(u32 *)(r10 - 44)
	w2 = *(u32 *)(r10 - 84)
	w3 = *(u32 *)(r10 - 80)
	call glob
	w1 = w0
	w0 = *(u32 *)(r10 - 136)
	w0 += w1
	*(u32 *)(r10 - 128) = w0
	w1 = *(u32 *)(r10 - 44)
	call sw
	w1 = *(u32 *)(r10 - 128)
	w1 += w0
	w1 &= 1
	w2 = 2
	*(u32 *)(r10 - 120) = w2
	w2 = 1
	*(u32 *)(r10 - 112) = w2
	if w1 != 0 goto LBB1_9
# %bb.8:
	w1 = *(u32 *)(r10 - 120)
	*(u32 *)(r10 - 112) = w1
LBB1_9:
	w1 = *(u32 *)(r10 - 112)
	*(u32 *)(r10 - 4) = w1
	goto LBB1_7
LBB1_7:
	w0 = *(u32 *)(r10 - 4)
	exit
.Lfunc_end1:
	.size	prog, .Lfunc_end1-prog
                                        # -- End function
	.text
	.p2align	3                               # -- Begin function bump
	.type	bump,@function
bump:                                   # @bump
# %bb.0:
	*(u64 *)(r10 - 8) = r1
	r1 = *(u64 *)(r10 - 8)
	if r1 == 0 goto LBB2_2
	goto LBB2_1
LBB2_1:
	r2 = *(u64 *)(r10 - 8)
	r1 = 1
	r1 = atomic_fetch_add((u64 *)(r2 + 0), r1)
	goto LBB2_2
LBB2_2:
	exit
.Lfunc_end2:
	.size	bump, .Lfunc_end2-bump
                                        # -- End function
	.p2align	3                               # -- Begin function sum
	.type	sum,@function
sum:                                    # @sum
# %bb.0:
	*(u64 *)(r10 - 8) = r1
	*(u32 *)(r10 - 12) = w2
	w1 = 0
	*(u32 *)(r10 - 16) = w1
	*(u32 *)(r10 - 20) = w1
	goto LBB3_1
LBB3_1:                                 # =>This Inner Loop Header: Depth=1
	w1 = *(u32 *)(r10 - 20)
	w2 = *(u32 *)(r10 - 12)
	if w1 s>= w2 goto LBB3_4
	goto LBB3_2
LBB3_2:                                 #   in Loop: Header=BB3_1 Depth=1
	r1 = *(u64 *)(r10 - 8)
	w2 = *(u32 *)(r10 - 20)
                                        # kill: def $r2 killed $w2
	r2 <<= 32
	r2 s>>= 32
	r2 <<= 2
	r1 += r2
	w2 = *(u32 *)(r1 + 0)
	w1 = *(u32 *)(r10 - 16)
	w1 += w2
	*(u32 *)(r10 - 16) = w1
	goto LBB3_3
LBB3_3:                                 #   in Loop: Header=BB3_1 Depth=1
	w1 = *(u32 *)(r10 - 20)
	w1 += 1
	*(u32 *)(r10 - 20) = w1
	goto LBB3_1
LBB3_4:
	w0 = *(u32 *)(r10 - 16)
	exit
.Lfunc_end3:
	.size	sum, .Lfunc_end3-sum
                                        # -- End function
	.p2align	3                               # -- Begin function sw
	.type	sw,@function
sw:                                     # @sw
# %bb.0:
	*(u32 *)(r10 - 8) = w1
	w1 = *(u32 *)(r10 - 8)
	*(u32 *)(r10 - 16) = w1
	if w1 == 1 goto LBB4_1
	goto LBB4_8
LBB4_8:
	w1 = *(u32 *)(r10 - 16)
	if w1 == 2 goto LBB4_2
	goto LBB4_9
LBB4_9:
	w1 = *(u32 *)(r10 - 16)
	if w1 == 3 goto LBB4_3
	goto LBB4_10
LBB4_10:
	w1 = *(u32 *)(r10 - 16)
	if w1 == 4 goto LBB4_4
	goto LBB4_11
LBB4_11:
	w1 = *(u32 *)(r10 - 16)
	if w1 == 5 goto LBB4_5
	goto LBB4_6
LBB4_1:
	w1 = 17
	*(u32 *)(r10 - 4) = w1
	goto LBB4_7
LBB4_2:
	w1 = 4
	*(u32 *)(r10 - 4) = w1
	goto LBB4_7
LBB4_3:
	w1 = 99
	*(u32 *)(r10 - 4) = w1
	goto LBB4_7
LBB4_4:
	w1 = 3
	*(u32 *)(r10 - 4) = w1
	goto LBB4_7
LBB4_5:
	w1 = 12
	*(u32 *)(r10 - 4) = w1
	goto LBB4_7
LBB4_6:
	w1 = 0
	*(u32 *)(r10 - 4) = w1
	goto LBB4_7
LBB4_7:
	w0 = *(u32 *)(r10 - 4)
	exit
.Lfunc_end4:
	.size	sw, .Lfunc_end4-sw
                                        # -- End function
	.section	"xdp/other","ax",@progbits
	.globl	loopy                           # -- Begin function loopy
	.p2align	3
	.type	loopy,@function
loopy:                                  # @loopy
# %bb.0:
	*(u64 *)(r10 - 8) = r1
	goto LBB5_1
LBB5_1:                                 # =>This Inner Loop Header: Depth=1
	r1 = bpf_ktime_get_ns ll
	r1 = *(u64 *)(r1 + 0)
	callx r1
	r0 &= 1
	if r0 == 0 goto LBB5_3
	goto LBB5_2
LBB5_2:
	goto LBB5_4
LBB5_3:                                 #   in Loop: Header=BB5_1 Depth=1
	goto LBB5_1
LBB5_4:
	w0 = 2
	exit
.Lfunc_end5:
	.size	loopy, .Lfunc_end5-loopy
                                        # -- End function
	.type	bpf_map_lookup_elem,@object     # @bpf_map_lookup_elem
	.data
	.p2align	3, 0x0
bpf_map_lookup_elem:
	.quad	1
	.size	bpf_map_lookup_elem, 8

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

	.type	bpf_trace_printk,@object        # @bpf_trace_printk
	.data
	.p2align	3, 0x0
bpf_trace_printk:
	.quad	6
	.size	bpf_trace_printk, 8

	.type	bpf_ktime_get_ns,@object        # @bpf_ktime_get_ns
	.p2align	3, 0x0
bpf_ktime_get_ns:
	.quad	5
	.size	bpf_ktime_get_ns, 8

	.type	lic,@object                     # @lic
	.section	license,"aw",@progbits
	.globl	lic
lic:
	.asciz	"GPL"
	.size	lic, 4

	.addrsig
	.addrsig_sym glob
	.addrsig_sym prog
	.addrsig_sym bump
	.addrsig_sym sum
	.addrsig_sym sw
	.addrsig_sym loopy
	.addrsig_sym bpf_map_lookup_elem
	.addrsig_sym counts
	.addrsig_sym bpf_trace_printk
	.addrsig_sym bpf_ktime_get_ns
	.addrsig_sym lic
