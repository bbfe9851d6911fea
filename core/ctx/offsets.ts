import { KERNEL_STRUCTS } from '../vm/kernel-structs.ts';

/**
 * Layout of the kernel structures behind contexts, in bytes, as the BTF of a kernel gives it
 * (`core/vm/kernel-structs.ts`, which names the version), and what BTF does not tell.
 */

/** Bytes of an Ethernet header (include/uapi/linux/if_ether.h); no XDP packet gets shorter. */
export const ETH_HLEN = 14;

/** `struct xdp_buff`. Pointers are 8 bytes. */
export const XDP_BUFF = KERNEL_STRUCTS.xdp_buff;

/** `struct xdp_rxq_info`. */
export const XDP_RXQ_INFO = KERNEL_STRUCTS.xdp_rxq_info;

/** `struct net_device`: what programs see, `type` (`ARPHRD_…`) only classic ones. */
export const NET_DEVICE = KERNEL_STRUCTS.net_device;

/**
 * `struct sk_buff`. Header offsets (`…_header`), `tail` and `end` count from `head`. Bit fields: `cloned` is bit 0 of
 * its byte, `pkt_type` bits 0–2; at `tstamp_type` lie bits 0–1 `tstamp_type`, bit 2 `tc_at_ingress`.
 */
export const SK_BUFF = KERNEL_STRUCTS.sk_buff;

/** Bits of the bytes at `SK_BUFF.pkt_type` and `SK_BUFF.cloned`, and of the one at `SK_BUFF.tstamp_type`. */
export const PKT_TYPE_MASK = 0x07;
export const CLONED_MASK = 0x01;
export const SKB_TSTAMP_TYPE_MASK = 0x03;
export const TC_AT_INGRESS_MASK = 0x04;

/** `struct bpf_skb_data_end` (lies in `sk_buff.cb`), offsets from the start of `sk_buff`. */
export const SKB_CB = {
  /** `qdisc_skb_cb.pkt_len` */
  pkt_len: SK_BUFF.cb + KERNEL_STRUCTS.qdisc_skb_cb.pkt_len,
  /** `qdisc_skb_cb.tc_classid`, 16 bits */
  tc_classid: SK_BUFF.cb + KERNEL_STRUCTS.qdisc_skb_cb.tc_classid,
  /** `qdisc_skb_cb.data`: the user's `cb[]`, 20 bytes */
  data: SK_BUFF.cb + KERNEL_STRUCTS.qdisc_skb_cb.data,
  data_meta: SK_BUFF.cb + KERNEL_STRUCTS.bpf_skb_data_end.data_meta,
  data_end: SK_BUFF.cb + KERNEL_STRUCTS.bpf_skb_data_end.data_end,
} as const;

/** `struct skb_shared_info`, at `head + end`. */
export const SKB_SHARED_INFO = KERNEL_STRUCTS.skb_shared_info;

/** Head room of an XDP packet. */
export const XDP_PACKET_HEADROOM = 256;
/** Bytes at the start of the head room that `struct xdp_frame` needs: `bpf_xdp_adjust_head` cannot have them. */
export const XDP_FRAME_SIZE = KERNEL_STRUCTS.xdp_frame.size;
/** Size of the buffer that a packet of TEST_RUN lies in: one page. */
export const XDP_FRAME_SZ = 4096;
/** `NET_SKB_PAD + NET_IP_ALIGN`: head room of a socket buffer. */
export const SKB_HEADROOM = 64;
/** Smallest NAPI id (`MIN_NAPI_ID`): smaller values are CPU numbers and read as 0. */
export const MIN_NAPI_ID = 0x101;
/** `NO_QUEUE_MAPPING`: a greater or equal `queue_mapping` is not stored. */
export const NO_QUEUE_MAPPING = 0xffff;
