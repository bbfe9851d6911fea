# never ends by itself
.program raw
main:
	r0 = 0
	r6 = 1
again:
	if r6 != 0 goto again
	exit
