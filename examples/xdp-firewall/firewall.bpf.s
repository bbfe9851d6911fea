# XDP firewall: drops TCP and UDP packets to blocked ports, counts what it sees.
#
# A packet passes through four stages; each checks that its header is wholly inside the packet
# before it reads a byte of it, as the kernel's verifier demands:
#
#     Ethernet (up to two VLAN tags)  ->  IPv4 or IPv6  ->  TCP or UDP  ->  look up the port
#
# Registers that live through the whole program:
#     r7  start of the header being parsed
#     r8  end of the packet
#     r9  EtherType, then IP protocol

        # Layout of the headers, in bytes (IEEE 802.3, RFC 791, RFC 8200, RFC 9293, RFC 768).
        .equ ETH_LEN, 14
        .equ ETH_TYPE, 12
        .equ VLAN_LEN, 4
        .equ VLAN_TYPE, 2
        .equ IPV4_MIN_LEN, 20
        .equ IPV4_FRAGMENT, 6
        .equ IPV4_PROTOCOL, 9
        .equ IPV6_LEN, 40
        .equ IPV6_NEXT_HEADER, 6
        .equ TCP_LEN, 20
        .equ UDP_LEN, 8
        .equ DESTINATION_PORT, 2

        # Elements of the array `counters`.
        .equ COUNT_IPV4, 0
        .equ COUNT_IPV6, 1
        .equ COUNT_OTHER, 2
        .equ COUNT_MALFORMED, 3
        .equ COUNT_DROPPED, 4

        # Destination port (host byte order) -> packets dropped because of it.
        .map blocked_ports, hash, 2, 8, 64
        .map_entry blocked_ports, 23, 0         # telnet
        .map_entry blocked_ports, 445, 0        # SMB
        .map_entry blocked_ports, 1900, 0       # SSDP
        .map counters, array, 4, 8, 5

        .section xdp, "ax", @progbits
        .globl firewall
        .type firewall, @function
firewall:
        r7 = *(u32 *)(r1 + 0)                   # xdp_md.data
        r8 = *(u32 *)(r1 + 4)                   # xdp_md.data_end

        # Ethernet
        r1 = r7
        r1 += ETH_LEN
        if r1 > r8 goto malformed
        r9 = *(u16 *)(r7 + ETH_TYPE)
        r9 = be16 r9
        r7 = r1
        r6 = 2                                  # VLAN tags that may still follow

next_tag:
        if r9 == ETH_P_8021Q goto vlan
        if r9 != ETH_P_8021AD goto network
vlan:
        if r6 == 0 goto other                   # more tags than any switch puts on
        r6 -= 1
        r1 = r7
        r1 += VLAN_LEN
        if r1 > r8 goto malformed
        r9 = *(u16 *)(r7 + VLAN_TYPE)
        r9 = be16 r9
        r7 = r1
        goto next_tag

network:
        if r9 == ETH_P_IP goto ipv4
        if r9 == ETH_P_IPV6 goto ipv6
other:
        r1 = COUNT_OTHER
        call count
        goto pass

ipv4:
        r1 = r7
        r1 += IPV4_MIN_LEN
        if r1 > r8 goto malformed
        r1 = COUNT_IPV4
        call count
        # Only the first fragment has ports; the others are let through with it or without it.
        r1 = *(u16 *)(r7 + IPV4_FRAGMENT)
        r1 = be16 r1
        r1 &= 0x1fff
        if r1 != 0 goto pass
        r9 = *(u8 *)(r7 + IPV4_PROTOCOL)
        # The header's length is its low four bits, in 32-bit words; options make it longer than 20.
        r1 = *(u8 *)(r7 + 0)
        r1 &= 15
        r1 <<= 2
        if r1 < IPV4_MIN_LEN goto malformed
        r7 += r1
        goto transport

ipv6:
        r1 = r7
        r1 += IPV6_LEN
        if r1 > r8 goto malformed
        r9 = *(u8 *)(r7 + IPV6_NEXT_HEADER)
        r7 = r1
        r1 = COUNT_IPV6
        call count

transport:
        r1 = r7
        if r9 == IPPROTO_TCP goto tcp
        if r9 != IPPROTO_UDP goto pass
        r1 += UDP_LEN
        goto ports
tcp:
        r1 += TCP_LEN
ports:
        if r1 > r8 goto malformed
        r1 = *(u16 *)(r7 + DESTINATION_PORT)
        r1 = be16 r1
        *(u16 *)(r10 - 2) = r1
        r1 = blocked_ports ll
        r2 = r10
        r2 += -2
        call bpf_map_lookup_elem
        if r0 == 0 goto pass
        # Several CPUs may drop at once: the counter is added to atomically.
        r1 = 1
        lock *(u64 *)(r0 + 0) += r1
        r1 = COUNT_DROPPED
        call count
        r0 = XDP_DROP
        exit

malformed:
        r1 = COUNT_MALFORMED
        call count
        r0 = XDP_DROP
        exit

pass:
        r0 = XDP_PASS
        exit
        .size firewall, . - firewall

# count(r1 = index): adds one to an element of `counters`.
        .text
        .type count, @function
count:
        *(u32 *)(r10 - 4) = r1
        r1 = counters ll
        r2 = r10
        r2 += -4
        call bpf_map_lookup_elem
        if r0 == 0 goto unknown                 # never: the verifier wants to see it checked
        r1 = 1
        lock *(u64 *)(r0 + 0) += r1
unknown:
        r0 = 0
        exit
        .size count, . - count

        .section license, "aw", @progbits
        .asciz "GPL"
