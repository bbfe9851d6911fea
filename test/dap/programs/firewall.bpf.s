# a small XDP program
.map ports, hash, 4, 8, 16
.map hits, array, 4, 8, 4
.equ LIMIT, 14
	.section xdp,"ax"
	.globl firewall
firewall:
	r6 = *(u32 *)(r1 + 0)
	r7 = *(u32 *)(r1 + 4)
	r2 = r6
	r2 += LIMIT
	if r2 > r7 goto drop
	*(u32 *)(r10 - 4) = 1
	call count
	r0 = XDP_PASS
	exit
drop:
	r0 = XDP_DROP
	exit
count:
	r2 = r10
	r2 += -4
	w1 = 2
	*(u32 *)(r10 - 4) = w1
	r1 = hits ll
	call bpf_map_lookup_elem
	if r0 == 0 goto out
	r1 = *(u64 *)(r0 + 0)
	r1 += 1
	*(u64 *)(r0 + 0) = r1
out:
	r0 = 0
	exit
