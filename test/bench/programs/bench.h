/* What the eight programs share: the same source for BPF and for the machine itself. */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

/*
 * A function with external linkage is verified by itself in the kernel, once, however often it is called:
 * so programs can run longer than the million instructions that the verifier follows.
 */
#define APART __attribute__((noinline))

#ifdef __bpf__
#define PROGRAM __attribute__((section("xdp"), used))
struct xdp_md {
  u32 data, data_end, data_meta, ingress_ifindex, rx_queue_index, egress_ifindex;
};
#else
#define PROGRAM
struct xdp_md {
  unsigned long data, data_end;
};
#endif
