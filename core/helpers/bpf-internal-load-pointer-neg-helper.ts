import { SK_BUFF } from '../ctx/offsets.ts';
import type { Machine } from '../vm/machine.ts';
import type { Region } from '../vm/region.ts';

/** Offsets from here on count from the network header, from the MAC header (include/uapi/linux/filter.h). */
export const SKF_NET_OFF = -0x100000;
export const SKF_LL_OFF = -0x200000;
/** `mac_header` of a packet that has none. */
const NO_HEADER = 0xffff;

/**
 * Where `size` bytes at the negative offset `k` (signed 32 bits) of a packet lie: from the network header
 * for SKF_NET_OFF … −1, from the MAC header for SKF_LL_OFF … SKF_NET_OFF − 1. Mirrors
 * `bpf_internal_load_pointer_neg_helper`, kernel/bpf/core.c.
 *
 * `skb`: byte address of the `struct sk_buff`; `packet`: its bytes. Returns a linear address; undefined
 * when not all bytes are between `skb->head` and the packet's end, when there is no MAC header, or below
 * SKF_LL_OFF.
 */
export function bpfInternalLoadPointerNegHelper(
  machine: Machine,
  skb: number,
  packet: Region,
  k: number,
  size: number,
): number | undefined {
  const { view } = machine.memory;
  const fromNetwork = k >= SKF_NET_OFF;
  const header = view.getUint16(skb + (fromNetwork ? SK_BUFF.network_header : SK_BUFF.mac_header), true);
  if (k < SKF_LL_OFF || header === NO_HEADER) return undefined;
  // Headers count from skb->head; the packet's first byte does not stand there but `first` bytes on.
  const first = view.getUint32(skb + SK_BUFF.tail, true) - packet.size;
  const at = packet.base + header - first + k - (fromNetwork ? SKF_NET_OFF : SKF_LL_OFF);
  const head = packet.base - Math.min(first, machine.space.headroom(packet));
  return at >= head && at + size <= packet.base + packet.size ? at : undefined;
}
