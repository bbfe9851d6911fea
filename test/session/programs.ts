/**
 * Two programs, `first` and `second`, which a tail call of the first leads to; `body` is the text of the second from
 * line 16 on.
 */
export function tailCallTo(body: string): string {
  return `.map jmp, prog_array, 4, 4, 2
.map_entry jmp, 1, second
	.section xdp,"ax"
	.globl first
	.type first, @function
first:
	r2 = jmp ll
	r3 = 1
	call bpf_tail_call
	r0 = XDP_ABORTED
	exit
	.size first, .-first
	.globl second
	.type second, @function
second:
${body}	.size second, .-second
`;
}
