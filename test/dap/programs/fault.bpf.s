	.section xdp,"ax"
reader:
	r2 = *(u32 *)(r1 + 0)
	r0 = *(u64 *)(r2 + 100)
	exit
