	.section xdp,"ax"
first:
	r0 = XDP_PASS
	exit
	.section tc,"ax"
second:
	r0 = TC_ACT_OK
	exit
