/** Reading and writing 8-byte instruction slots (RFC 9669 section 3.1; layout in `row.ts`). */

/** Index of an 8-byte slot. A wide instruction has two. */
export type InsnIndex = number & { readonly __brand?: 'InsnIndex' };

/** Size of one slot in bytes. */
export const INSN_SIZE = 8;

/** The fields of one slot. `off` and `imm` are signed. */
export interface Insn {
  readonly opcode: number;
  readonly dst: number;
  readonly src: number;
  readonly off: number;
  readonly imm: number;
}

/** Reads slot `index` of `bytes` (little endian); throws RangeError when it is not wholly inside. */
export function readInsn(bytes: Uint8Array, index: InsnIndex): Insn {
  const at = index * INSN_SIZE;
  // By bytes and not with a DataView: it is called for every slot by every pass.
  const last = bytes[at + 7];
  if (last === undefined || at < 0) throw new RangeError(`slot ${index} is not inside ${bytes.length} bytes`);
  const regs = bytes[at + 1] ?? 0;
  return {
    opcode: bytes[at] ?? 0,
    dst: regs & 15,
    src: regs >> 4,
    off: (((bytes[at + 2] ?? 0) | ((bytes[at + 3] ?? 0) << 8)) << 16) >> 16,
    imm: (bytes[at + 4] ?? 0) | ((bytes[at + 5] ?? 0) << 8) | ((bytes[at + 6] ?? 0) << 16) | (last << 24),
  };
}

/** Writes `insn` to slot `index` of `bytes`; fields are cut to their width. */
export function writeInsn(bytes: Uint8Array, index: InsnIndex, insn: Insn): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = index * INSN_SIZE;
  view.setUint8(at, insn.opcode);
  view.setUint8(at + 1, (insn.dst & 15) | ((insn.src & 15) << 4));
  view.setInt16(at + 2, insn.off, true);
  view.setInt32(at + 4, insn.imm, true);
}
