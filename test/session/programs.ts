/** A thousand rounds (6,004 instructions) in which every register and slot of the stack goes on from the round before. */
export const MIXING_LOOP = `.program raw
main:
	r6 = 1000
	r0 = 0
	r1 = 7
next: r0 += r1
	r1 *= 13
	r0 ^= r1
	*(u64 *)(r10 - 8) = r0
	r6 += -1
	if r6 != 0 goto next
	exit
`;

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

/** A socket filter that reads its context, calls a function and loads a wide constant: lines 3 to 7, 9 and 10. */
export const CALLING_FILTER = `.section socket
main:
	r6 = r1
	r0 = *(u32 *)(r1 + 0)
	call helper
	r1 = 5 ll
	exit
helper:
	w0 &= 7
	exit
`;
