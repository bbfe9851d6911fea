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
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = index * INSN_SIZE;
  const regs = view.getUint8(at + 1);
  return {
    opcode: view.getUint8(at),
    dst: regs & 15,
    src: regs >> 4,
    off: view.getInt16(at + 2, true),
    imm: view.getInt32(at + 4, true),
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
