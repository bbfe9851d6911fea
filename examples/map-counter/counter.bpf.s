# Traffic counter for tc: packets by IP protocol in an array, bytes by IPv4 source address in a hash
# map. Every packet goes on (TC_ACT_OK); nothing is changed.
#
# The two maps show the two ways to count: an array element is always there, a hash element has to
# be put in when an address is seen for the first time.

        .equ ETH_LEN, 14
        .equ ETH_TYPE, 12
        .equ IPV4_MIN_LEN, 20
        .equ IPV4_PROTOCOL, 9
        .equ IPV4_SOURCE, 12

        .map packets_by_protocol, array, 4, 8, 256
        .map bytes_by_source, hash, 4, 8, 1024

        .section tc, "ax", @progbits
        .globl counter
        .type counter, @function
counter:
        r6 = *(u32 *)(r1 + 0)                   # __sk_buff.len
        r7 = *(u32 *)(r1 + 76)                  # __sk_buff.data
        r8 = *(u32 *)(r1 + 80)                  # __sk_buff.data_end

        r2 = r7
        r2 += ETH_LEN + IPV4_MIN_LEN
        if r2 > r8 goto done
        r2 = *(u16 *)(r7 + ETH_TYPE)
        r2 = be16 r2
        if r2 != ETH_P_IP goto done

        # packets_by_protocol[protocol] += 1
        r2 = *(u8 *)(r7 + ETH_LEN + IPV4_PROTOCOL)
        *(u32 *)(r10 - 4) = r2
        r1 = packets_by_protocol ll
        r2 = r10
        r2 += -4
        call bpf_map_lookup_elem
        if r0 == 0 goto source
        r1 = 1
        lock *(u64 *)(r0 + 0) += r1

source:
        # bytes_by_source[source address] += length of the frame
        r2 = *(u32 *)(r7 + ETH_LEN + IPV4_SOURCE)
        *(u32 *)(r10 - 4) = r2
        r1 = bytes_by_source ll
        r2 = r10
        r2 += -4
        call bpf_map_lookup_elem
        if r0 == 0 goto first
        lock *(u64 *)(r0 + 0) += r6
        goto done
first:
        # BPF_NOEXIST: another CPU may have been faster, and its count must not be lost.
        *(u64 *)(r10 - 16) = r6
        r1 = bytes_by_source ll
        r2 = r10
        r2 += -4
        r3 = r10
        r3 += -16
        r4 = BPF_NOEXIST
        call bpf_map_update_elem
done:
        r0 = TC_ACT_OK
        exit

        .section license, "aw", @progbits
        .asciz "GPL"
