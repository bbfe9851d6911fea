# Lookups that the kernel inlines, map functions that it calls directly, a value's address.
.map ports, hash, 4, 8, 64
.map words, hash, 12, 4, 8
.map counters, array, 4, 8, 4
.map odd, array, 4, 24, 3
.map hits, percpu_array, 4, 8, 4
	.section socket,"ax",@progbits
	.globl maps
	.type maps, @function
maps:
	*(u32 *)(r10 - 4) = 2
	*(u32 *)(r10 - 8) = 0
	*(u32 *)(r10 - 12) = 0
	*(u64 *)(r10 - 24) = 7
	r1 = ports ll
	r2 = r10
	r2 += -4
	call bpf_map_lookup_elem
	if r0 == 0 goto no_port
	r1 = 1
	lock *(u64 *)(r0 + 0) += r1
no_port:
	r1 = words ll
	r2 = r10
	r2 += -12
	call bpf_map_lookup_elem
	if r0 == 0 goto no_word
	*(u32 *)(r0 + 0) = 5
no_word:
	r1 = counters ll
	r2 = r10
	r2 += -4
	call bpf_map_lookup_elem
	if r0 == 0 goto no_counter
	r6 = *(u64 *)(r0 + 0)
no_counter:
	r1 = odd ll
	r2 = r10
	r2 += -4
	call bpf_map_lookup_elem
	if r0 == 0 goto no_odd
	*(u64 *)(r0 + 16) = 1
no_odd:
	r1 = hits ll
	r2 = r10
	r2 += -4
	call bpf_map_lookup_elem
	if r0 == 0 goto no_hit
	*(u64 *)(r0 + 0) = 3
no_hit:
	r1 = ports ll
	r2 = r10
	r2 += -4
	r3 = r10
	r3 += -24
	r4 = 0
	call bpf_map_update_elem
	r1 = counters ll
	r2 = r10
	r2 += -4
	r3 = r10
	r3 += -24
	r4 = 0
	call bpf_map_update_elem
	r1 = ports ll
	r2 = r10
	r2 += -4
	call bpf_map_delete_elem
	r0 = 0
	exit
	.size maps, .-maps
	.section license,"aw"
	.asciz "GPL"
