/**
 * Layout of the kernel structures behind contexts, in bytes, as the BTF of **Linux 6.18.44, x86-64**
 * (`/sys/kernel/btf/vmlinux`) gives it. Rewritten programs hold these offsets, so this is the only
 * place that knows a kernel's layout.
 */

/** Bytes of an Ethernet header (include/uapi/linux/if_ether.h); no XDP packet gets shorter. */
export const ETH_HLEN = 14;

/** `struct xdp_buff`. Pointers are 8 bytes. */
export const XDP_BUFF = {
  size: 56,
  data: 0,
  data_end: 8,
  data_meta: 16,
  data_hard_start: 24,
  rxq: 32,
  txq: 40,
  frame_sz: 48,
  flags: 52,
} as const;

/** `struct xdp_rxq_info`. */
export const XDP_RXQ_INFO = { size: 64, dev: 0, queue_index: 8 } as const;

/** `struct net_device`: what programs see, `type` (`ARPHRD_…`) only classic ones. */
export const NET_DEVICE = { size: 2496, ifindex: 224, type: 536 } as const;

/** `struct sk_buff`. Header offsets (`…_header`), `tail` and `end` count from `head`. */
export const SK_BUFF = {
  size: 224,
  dev: 16,
  sk: 24,
  tstamp: 32,
  cb: 40,
  len: 112,
  data_len: 116,
  mac_len: 120,
  hdr_len: 122,
  queue_mapping: 124,
  /** Bit 0 of the byte. */
  cloned: 126,
  /** Bits 0–2 of the byte. */
  pkt_type: 128,
  /** Bits 0–1 `tstamp_type`, bit 2 `tc_at_ingress`. */
  tstamp_type: 129,
  tc_index: 132,
  csum: 136,
  priority: 140,
  skb_iif: 144,
  hash: 148,
  vlan_all: 152,
  vlan_proto: 152,
  vlan_tci: 154,
  napi_id: 156,
  mark: 164,
  protocol: 176,
  transport_header: 178,
  network_header: 180,
  mac_header: 182,
  tail: 184,
  end: 188,
  head: 192,
  data: 200,
  truesize: 208,
} as const;

/** Bits of the bytes at `SK_BUFF.pkt_type` and `SK_BUFF.cloned`, and of the one at `SK_BUFF.tstamp_type`. */
export const PKT_TYPE_MASK = 0x07;
export const CLONED_MASK = 0x01;
export const SKB_TSTAMP_TYPE_MASK = 0x03;
export const TC_AT_INGRESS_MASK = 0x04;

/** `struct bpf_skb_data_end` (lies in `sk_buff.cb`), offsets from the start of `sk_buff`. */
export const SKB_CB = {
  /** `qdisc_skb_cb.pkt_len` */
  pkt_len: SK_BUFF.cb + 0,
  /** `qdisc_skb_cb.tc_classid`, 16 bits */
  tc_classid: SK_BUFF.cb + 6,
  /** `qdisc_skb_cb.data`: the user's `cb[]`, 20 bytes */
  data: SK_BUFF.cb + 8,
  data_meta: SK_BUFF.cb + 32,
  data_end: SK_BUFF.cb + 40,
} as const;

/** `struct skb_shared_info`, at `head + end`. */
export const SKB_SHARED_INFO = { size: 320, gso_size: 4, gso_segs: 6, hwtstamps: 16, gso_type: 24 } as const;

/** Head room of an XDP packet. */
export const XDP_PACKET_HEADROOM = 256;
/** Bytes at the start of the head room that `struct xdp_frame` needs: `bpf_xdp_adjust_head` cannot have them. */
export const XDP_FRAME_SIZE = 40;
/** Size of the buffer that a packet of TEST_RUN lies in: one page. */
export const XDP_FRAME_SZ = 4096;
/** `NET_SKB_PAD + NET_IP_ALIGN`: head room of a socket buffer. */
export const SKB_HEADROOM = 64;
/** Smallest NAPI id (`MIN_NAPI_ID`): smaller values are CPU numbers and read as 0. */
export const MIN_NAPI_ID = 0x101;
/** `NO_QUEUE_MAPPING`: a greater or equal `queue_mapping` is not stored. */
export const NO_QUEUE_MAPPING = 0xffff;
