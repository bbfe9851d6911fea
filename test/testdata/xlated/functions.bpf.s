# Calls of functions of the program: their symbols end with the tag of each function alone.
	.section socket,"ax",@progbits
	.globl functions
	.type functions, @function
functions:
	r6 = r1
	r1 = 5
	call twice
	r7 = r0
	r1 = r7
	call outer
	r0 += r7
	exit
	.size functions, .-functions
	.type twice, @function
twice:
	r0 = r1
	r0 <<= 1
	exit
	.size twice, .-twice
	.type outer, @function
outer:
	r6 = r1
	r3 = twice ll
	call twice
	r0 += r6
	r0 ^= -1
	exit
	.size outer, .-outer
	.section license,"aw"
	.asciz "GPL"
