import type { ClassicInput } from './evaluate.ts';
import { SKF_LL_OFF, SKF_NET_OFF } from './sock-filter.ts';

/** A socket buffer as a filter sees it. Offsets are bytes from the start of `bytes`. */
export interface PacketModel {
  /** From the MAC header on. */
  readonly bytes: Uint8Array;
  /** Where the filter's offset 0 lies (skb->data). */
  readonly dataAt: number;
  /** Where the network header lies. */
  readonly networkAt: number;
  /** Values of the extensions by their uapi name, unsigned 32 bits; netlink searches need none. */
  readonly extensions?: Readonly<Record<string, number>>;
}

/** `struct nlattr`: length and type, 16 bits each in host order, then the contents, padded to 4 bytes. */
const NLA_HDRLEN = 4;
/** `NLA_TYPE_MASK`: without the flags for nested attributes and byte order. */
const NLA_TYPE_MASK = 0x3fff;

/**
 * A packet as the input of a socket filter: `skb_copy_bits` for offsets from the data on,
 * `bpf_internal_load_pointer_neg_helper` (kernel/bpf/core.c) for those from a header.
 */
export function packetInput(packet: PacketModel): ClassicInput {
  const { bytes, dataAt } = packet;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.length - dataAt;
  const u16 = (at: number): number => view.getUint16(dataAt + at, true);

  /** Offset of the attribute of type `type` among those in `size` bytes at `start`; 0: there is none. */
  const find = (start: number, size: number, type: number): number => {
    let at = start;
    let rest = size;
    while (rest >= NLA_HDRLEN) {
      const attribute = u16(at);
      if (attribute < NLA_HDRLEN || attribute > rest) return 0;
      if ((u16(at + 2) & NLA_TYPE_MASK) === type) return at;
      const step = (attribute + 3) & ~3;
      at += step;
      rest -= step;
    }
    return 0;
  };

  return {
    length,
    load(offset, size) {
      const unsigned = offset >>> 0;
      let at = dataAt + offset;
      if (offset < 0) {
        if (unsigned >= SKF_NET_OFF) at = packet.networkAt + (unsigned - SKF_NET_OFF);
        else if (unsigned >= SKF_LL_OFF) at = unsigned - SKF_LL_OFF;
        else return undefined;
      }
      if (at < 0 || at + size > bytes.length) return undefined;
      if (size === 1) return view.getUint8(at);
      return size === 2 ? view.getUint16(at, false) : view.getUint32(at, false);
    },
    extension(constant, a, x) {
      if (constant === 'SKF_AD_NLATTR') {
        if (length < NLA_HDRLEN || a > length - NLA_HDRLEN) return 0;
        return find(a, length - a, x);
      }
      if (constant === 'SKF_AD_NLATTR_NEST') {
        if (length < NLA_HDRLEN || a > length - NLA_HDRLEN) return 0;
        const outer = u16(a);
        if (outer > length - a) return 0;
        return find(a + NLA_HDRLEN, outer - NLA_HDRLEN, x);
      }
      return packet.extensions?.[constant];
    },
  };
}

/** `struct seccomp_data` (include/uapi/linux/seccomp.h): words in host order, little endian. */
export function seccompInput(data: Uint8Array): ClassicInput {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return {
    length: data.length,
    load: (offset) => (offset >= 0 && offset + 4 <= data.length ? view.getUint32(offset, true) : undefined),
    extension: () => undefined,
  };
}
