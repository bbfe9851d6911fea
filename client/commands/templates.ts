/** What a new program begins with; each assembles and runs as it stands. */
export interface Template {
  readonly label: string;
  /** Language of the document; `bpf` when absent. */
  readonly language?: 'bpf-classic';
  readonly description: string;
  readonly text: string;
}

/** One template a program type, in the order in which "New Program" lists them. */
export const TEMPLATES: readonly Template[] = [
  {
    label: 'XDP',
    description: 'sees each packet before the network stack; may pass, drop or send it back',
    text: `# An XDP program: r1 points to struct xdp_md.
	.section "xdp", "ax"
	.globl	count_and_pass
	.type	count_and_pass, @function

	.map	packets, array, 4, 8, 1

count_and_pass:
	r6 = *(u32 *)(r1 + 0)		# data
	r7 = *(u32 *)(r1 + 4)		# data_end

	# The Ethernet header has 14 bytes; shorter packets are dropped.
	r2 = r6
	r2 += 14
	if r2 > r7 goto drop

	# packets[0]++
	r2 = 0
	*(u32 *)(r10 - 4) = r2
	r2 = r10
	r2 += -4
	r1 = packets ll
	call bpf_map_lookup_elem
	if r0 == 0 goto drop
	r1 = 1
	lock *(u64 *)(r0 + 0) += r1

	r0 = XDP_PASS
	exit

drop:
	r0 = XDP_DROP
	exit
`,
  },
  {
    label: 'Traffic Control',
    description: 'a classifier of the network scheduler; sees struct __sk_buff',
    text: `# A classifier (sched_cls): r1 points to struct __sk_buff.
	.section "tc", "ax"
	.globl	limit_length
	.type	limit_length, @function

limit_length:
	r2 = *(u32 *)(r1 + 0)		# len
	if r2 > 1500 goto drop
	r0 = TC_ACT_OK
	exit

drop:
	r0 = TC_ACT_SHOT
	exit
`,
  },
  {
    label: 'Socket Filter',
    description: 'says how many bytes of a packet a socket gets; 0 drops it',
    text: `# A socket filter: r1 points to struct __sk_buff, r0 is the number of bytes to keep.
	.section "socket", "ax"
	.globl	only_ipv4
	.type	only_ipv4, @function

only_ipv4:
	r6 = r1				# the legacy packet loads want the context in r6
	r0 = *(u16 *)skb[12]		# EtherType, already in host byte order
	if r0 == 0x800 goto keep
	r0 = 0
	exit

keep:
	r0 = -1
	exit
`,
  },
  {
    label: 'Raw',
    description: 'memory in r1, its length in r2, nothing of the kernel around it',
    text: `# A raw program: r1 points to memory, r2 is its length in bytes.
	.program raw

sum:
	r0 = 0
	r3 = r1
	r3 += r2
next:
	if r1 >= r3 goto done
	r4 = *(u8 *)(r1 + 0)
	r0 += r4
	r1 += 1
	goto next
done:
	exit
`,
  },
  {
    label: 'Classic Filter',
    description:
      'the language of tcpdump -d, which can be pasted as it is: registers A and X, jumps forward only',
    language: 'bpf-classic',
    text: `; A classic socket filter: returns the number of bytes to accept, 0 drops the packet.
; What "tcpdump -d" prints can take the place of all this.
	ldh [12]		; EtherType
	jne #0x800, drop	; IPv4 only
	ldb [23]		; protocol
	jne #6, drop		; TCP only
	ret #-1			; all of it
drop:	ret #0
`,
  },
];
