# Calls of helpers, a tail call.
.map jumps, prog_array, 4, 4, 4
	.section tc,"ax",@progbits
	.globl helpers
	.type helpers, @function
helpers:
	r6 = r1
	call bpf_ktime_get_ns
	r7 = r0
	call bpf_get_smp_processor_id
	r7 += r0
	call bpf_get_prandom_u32
	r7 ^= r0
	r1 = r6
	r2 = 0
	r3 = r10
	r3 += -8
	r4 = 8
	call bpf_skb_load_bytes
	r1 = r6
	r2 = jumps ll
	r3 = 1
	call bpf_tail_call
	r0 = r7
	exit
	.size helpers, .-helpers
	.section license,"aw"
	.asciz "GPL"
