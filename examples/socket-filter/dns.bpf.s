# Socket filter: keeps DNS over UDP and IPv4, at most 512 bytes of each packet, and drops the rest.
#
# The result of a socket filter is how many bytes of the packet the socket receives; 0 drops it.
# The packet is read with the old LD_ABS and LD_IND instructions, which classic filters have used
# since 1992: r6 must hold the context, the result comes in r0 in host byte order, r1 to r5 are
# lost, and a read beyond the packet's end leaves the program with 0, so that no bounds check is
# needed.

        .equ ETH_LEN, 14
        .equ PORT_DNS, 53
        .equ KEEP_BYTES, 512

        .section socket, "ax", @progbits
        .globl dns
        .type dns, @function
dns:
        r6 = r1
        r0 = *(u16 *)skb[12]                    # EtherType
        if r0 != ETH_P_IP goto drop
        r0 = *(u8 *)skb[23]                     # IPv4 protocol
        if r0 != IPPROTO_UDP goto drop
        r0 = *(u16 *)skb[20]                    # flags and fragment offset
        if r0 & 0x1fff goto drop                # a later fragment has no ports

        # Length of the IPv4 header: low four bits of its first byte, in words of four bytes.
        r0 = *(u8 *)skb[ETH_LEN]
        r7 = r0
        r7 &= 15
        r7 <<= 2

        r0 = *(u16 *)skb[r7 + 14]               # source port: an answer
        if r0 == PORT_DNS goto keep
        r0 = *(u16 *)skb[r7 + 16]               # destination port: a question
        if r0 == PORT_DNS goto keep
drop:
        r0 = 0
        exit
keep:
        r0 = KEEP_BYTES
        exit

        .section license, "aw", @progbits
        .asciz "GPL"
