# The address of a function. The flags are not known to be 0, or else the kernel would unroll bpf_loop.
	.section socket,"ax",@progbits
	.globl callback
	.type callback, @function
callback:
	r6 = *(u32 *)(r1 + 0)
	r1 = 3
	r2 = each ll
	r3 = 0
	r4 = r6
	call bpf_loop
	r1 = r6
	call twice
	exit
	.size callback, .-callback
	.type each, @function
each:
	r0 = 0
	exit
	.size each, .-each
	.type twice, @function
twice:
	r6 = r1
	r1 = 2
	r2 = each ll
	r3 = 0
	r4 = r6
	call bpf_loop
	exit
	.size twice, .-twice
	.section license,"aw"
	.asciz "GPL"
