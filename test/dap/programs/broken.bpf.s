	.section xdp,"ax"
main:
	r0 = XDP_PAS
	goto nowhere
	exit
