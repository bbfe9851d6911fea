/**
 * Classic BPF's instruction, `struct sock_filter` (include/uapi/linux/filter.h), little endian here:
 *
 *     byte  0..1   2    3    4..7
 *          +------+----+----+---------------+
 *          | code | jt | jf | k (u32)       |
 *          +------+----+----+---------------+
 */
export interface SockFilter {
  /** Class, size or operation, mode or source; 16 bits, of which the upper 8 are zero in legal programs. */
  readonly code: number;
  /** Instructions to skip when a condition holds, 0…255. */
  readonly jt: number;
  /** Instructions to skip when it does not hold, 0…255. */
  readonly jf: number;
  /** The operand, unsigned 32 bits. */
  readonly k: number;
}

/** Size of `struct sock_filter` in bytes. */
export const SOCK_FILTER_SIZE = 8;

/** Most instructions of a classic program, `BPF_MAXINSNS`. */
export const BPF_MAXINSNS = 4096;

/** Words of scratch memory, `BPF_MEMWORDS`. */
export const BPF_MEMWORDS = 16;

/** Offsets from here on are ancillary data (include/uapi/linux/filter.h), as unsigned 32 bits. */
export const SKF_AD_OFF = 0xffff_f000;
/** Offsets from here on count from the network header. */
export const SKF_NET_OFF = 0xfff0_0000;
/** Offsets from here on count from the MAC header. */
export const SKF_LL_OFF = 0xffe0_0000;

/** A filter without operands that do not belong to it: `jt`, `jf` and `k` are 0 where not told. */
export function sockFilter(code: number, k = 0, jt = 0, jf = 0): SockFilter {
  return { code, jt, jf, k: k >>> 0 };
}

/** Reads an array of `struct sock_filter`; a last partial one is dropped. */
export function decodeFilters(bytes: Uint8Array): SockFilter[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: Math.floor(bytes.length / SOCK_FILTER_SIZE) }, (_, index) => {
    const at = index * SOCK_FILTER_SIZE;
    return {
      code: view.getUint16(at, true),
      jt: view.getUint8(at + 2),
      jf: view.getUint8(at + 3),
      k: view.getUint32(at + 4, true),
    };
  });
}

/** The bytes of an array of `struct sock_filter`. Fields are cut to their width. */
export function encodeFilters(filters: readonly SockFilter[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(filters.length * SOCK_FILTER_SIZE);
  const view = new DataView(bytes.buffer);
  for (const [index, { code, jt, jf, k }] of filters.entries()) {
    const at = index * SOCK_FILTER_SIZE;
    view.setUint16(at, code, true);
    view.setUint8(at + 2, jt);
    view.setUint8(at + 3, jf);
    view.setUint32(at + 4, k, true);
  }
  return bytes;
}
