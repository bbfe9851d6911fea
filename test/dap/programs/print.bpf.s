# prints a letter for each packet, then tells its length's parity
	.section xdp,"ax"
printer:
	r6 = *(u32 *)(r1 + 4)
	r7 = *(u32 *)(r1 + 0)
	r6 -= r7
	*(u8 *)(r10 - 8) = 65
	*(u8 *)(r10 - 7) = 0
	r1 = r10
	r1 += -8
	r2 = 2
	call bpf_trace_printk
	r6 &= 1
	r0 = XDP_PASS
	if r6 == 0 goto done
	r0 = XDP_DROP
done:
	exit
