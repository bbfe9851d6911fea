# LD_ABS and LD_IND, at offsets of the packet and below.
	.section socket,"ax",@progbits
	.globl ancillary
	.type ancillary, @function
ancillary:
	r6 = r1
	r0 = *(u16 *)skb[12]
	r7 = r0
	r0 = *(u8 *)skb[r7 + 2]
	r7 += r0
	r0 = *(u32 *)skb[-1048576]
	r0 += r7
	exit
	.size ancillary, .-ancillary
	.section license,"aw"
	.asciz "GPL"
