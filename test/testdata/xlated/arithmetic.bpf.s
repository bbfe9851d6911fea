# Every printed form of arithmetic, jumps and memory that bpftool has had from the start.
	.section socket,"ax",@progbits
	.globl arithmetic
	.type arithmetic, @function
arithmetic:
	call bpf_ktime_get_ns
	r6 = r0
	call bpf_ktime_get_ns
	r7 = r0
	call bpf_ktime_get_ns
	r8 = r0
	if r6 > r7 goto out
	if r8 s< -5 goto out
	if w6 s>= w8 goto out
	if w7 <= 0x7fffffff goto out
	if r7 & 0x100 goto out
	if r6 != r8 goto out
	r7 = 0x1122334455667788 ll
	r8 = -1 ll
	r9 = 7
	r6 /= r9
	r6 %= r9
	w6 /= 3
	w6 %= w9
	r6 *= -5
	r6 = -r6
	w6 = -w6
	r6 s>>= 3
	w6 s>>= w9
	r6 >>= r9
	w6 <<= 2
	r6 |= r7
	w6 &= 0xff00
	r6 ^= r8
	r6 = be16 r6
	r7 = le32 r7
	r8 = be64 r8
	*(u8 *)(r10 - 1) = 1
	*(u16 *)(r10 - 4) = -2
	*(u32 *)(r10 - 8) = r6
	*(u64 *)(r10 - 16) = r7
	r0 = *(u8 *)(r10 - 1)
	r2 = *(u16 *)(r10 - 4)
	r3 = *(u32 *)(r10 - 8)
	r4 = *(u64 *)(r10 - 16)
	lock *(u64 *)(r10 - 16) += r6
	lock *(u32 *)(r10 - 8) |= r7
	r0 ^= r2
	r0 += r3
	r0 -= r4
out:
	exit
	.size arithmetic, .-arithmetic
	.section license,"aw"
	.asciz "GPL"
