# clang-19 -target bpf -mcpu=v3 -O2 -gline-tables-only -S -o - hash.c
	.text
	.file	"hash.c"
	.globl	hash_bytes                      # -- Begin function hash_bytes
	.p2align	3
	.type	hash_bytes,@function
hash_bytes:                             # @hash_bytes
	.file	0 "." "hash.c"
	.loc	0 9 0                           # hash.c:9:0
# %bb.0:
	r2 = 0
	.loc	0 10 14 prologue_end            # hash.c:10:14
	r1 = hash_state ll
	r1 = *(u64 *)(r1 + 0)
	r3 = 1099511628211 ll
LBB0_1:                                 # =>This Inner Loop Header: Depth=1
	.loc	0 12 13                         # hash.c:12:13
	r4 = hash_buffer ll
	r4 += r2
	w4 = *(u8 *)(r4 + 0)
	.loc	0 12 10 is_stmt 0               # hash.c:12:10
	r1 ^= r4
	.loc	0 13 10 is_stmt 1               # hash.c:13:10
	r1 *= r3
	.loc	0 11 30                         # hash.c:11:30
	r2 += 1
	.loc	0 11 3 is_stmt 0                # hash.c:11:3
	if r2 == 4096 goto LBB0_2
	goto LBB0_1
LBB0_2:
	.loc	0 15 14 is_stmt 1               # hash.c:15:14
	r2 = hash_state ll
	*(u64 *)(r2 + 0) = r1
	.loc	0 16 3                          # hash.c:16:3
	w0 = 0
	exit
.Lfunc_end0:
	.size	hash_bytes, .Lfunc_end0-hash_bytes
                                        # -- End function
	.globl	hash_fill                       # -- Begin function hash_fill
	.p2align	3
	.type	hash_fill,@function
hash_fill:                              # @hash_fill
	.loc	0 19 0                          # hash.c:19:0
# %bb.0:
	w1 = 1
	r2 = 0
LBB1_1:                                 # =>This Inner Loop Header: Depth=1
	.loc	0 23 20 prologue_end            # hash.c:23:20
	r3 = hash_buffer ll
	r3 += r2
	.loc	0 22 11                         # hash.c:22:11
	w1 *= 1103515245
	.loc	0 22 24 is_stmt 0               # hash.c:22:24
	w1 += 12345
	.loc	0 23 24 is_stmt 1               # hash.c:23:24
	w4 = w1
	w4 >>= 16
	.loc	0 23 20 is_stmt 0               # hash.c:23:20
	*(u8 *)(r3 + 0) = w4
	.loc	0 21 30 is_stmt 1               # hash.c:21:30
	r2 += 1
	.loc	0 21 3 is_stmt 0                # hash.c:21:3
	if r2 == 4096 goto LBB1_2
	goto LBB1_1
LBB1_2:
	.loc	0 25 3 is_stmt 1                # hash.c:25:3
	w0 = 0
	exit
.Lfunc_end1:
	.size	hash_fill, .Lfunc_end1-hash_fill
                                        # -- End function
	.section	xdp,"ax",@progbits
	.globl	hash                            # -- Begin function hash
	.p2align	3
	.type	hash,@function
hash:                                   # @hash
# %bb.0:
	.loc	0 29 3 prologue_end             # hash.c:29:3
	call hash_fill
	.loc	0 30 14                         # hash.c:30:14
	r1 = hash_state ll
	r2 = -3750763034362895579 ll
	*(u64 *)(r1 + 0) = r2
	w6 = 100
LBB2_1:                                 # =>This Inner Loop Header: Depth=1
	.loc	0 31 45                         # hash.c:31:45
	call hash_bytes
	.loc	0 31 29 is_stmt 0               # hash.c:31:29
	w6 += -1
	.loc	0 31 3                          # hash.c:31:3
	if w6 == 0 goto LBB2_2
	goto LBB2_1
LBB2_2:
	.loc	0 32 16 is_stmt 1               # hash.c:32:16
	r1 = hash_state ll
	r1 = *(u64 *)(r1 + 0)
	.loc	0 32 40 is_stmt 0               # hash.c:32:40
	r0 = r1
	r0 >>= 32
	.loc	0 32 27                         # hash.c:32:27
	w0 ^= w1
                                        # kill: def $w0 killed $w0 killed $r0
	.loc	0 32 3                          # hash.c:32:3
	exit
.Lfunc_end2:
	.size	hash, .Lfunc_end2-hash
                                        # -- End function
	.type	hash_state,@object              # @hash_state
	.section	.bss,"aw",@nobits
	.globl	hash_state
	.p2align	3, 0x0
hash_state:
	.quad	0                               # 0x0
	.size	hash_state, 8

	.type	hash_buffer,@object             # @hash_buffer
	.globl	hash_buffer
hash_buffer:
	.zero	4096
	.size	hash_buffer, 4096
