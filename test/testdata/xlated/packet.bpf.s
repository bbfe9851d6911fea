# Fields of struct xdp_md become loads of the kernel's structures.
	.section xdp,"ax",@progbits
	.globl packet
	.type packet, @function
packet:
	r2 = *(u32 *)(r1 + 0)
	r3 = *(u32 *)(r1 + 4)
	r4 = r2
	r4 += 14
	if r4 > r3 goto drop
	r5 = *(u16 *)(r2 + 12)
	r5 = be16 r5
	r6 = *(u32 *)(r1 + 12)
	r7 = *(u32 *)(r1 + 16)
	r8 = *(u32 *)(r1 + 8)
	if r5 == 0x800 goto pass
drop:
	r0 = 1
	exit
pass:
	r0 = 2
	exit
	.size packet, .-packet
	.section license,"aw"
	.asciz "GPL"
