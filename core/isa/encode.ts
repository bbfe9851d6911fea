import { INSN_SIZE, writeInsn } from './insn.ts';
import type { InsnRow } from './row.ts';

/** Values of an instruction's operands; what a row fixes need not be given. */
export interface InsnOperands {
  readonly dst?: number;
  readonly src?: number;
  /** Signed 16 bits. */
  readonly off?: number;
  /** Signed or unsigned 32 bits; the low half of a wide instruction. */
  readonly imm?: number;
  /** Second slot's imm; wide instructions only. */
  readonly nextImm?: number;
  /** Instead of `imm` and `nextImm`: both halves, signed or unsigned 64 bits. */
  readonly imm64?: bigint;
}

/**
 * The 8 or 16 bytes of an instruction. Values must fit their fields; they are cut to
 * width otherwise. Operands that the row fixes are ignored.
 */
export function encodeRow(row: InsnRow, operands: InsnOperands): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(row.wide ? 2 * INSN_SIZE : INSN_SIZE);
  const { imm64 } = operands;
  const low = imm64 === undefined ? (operands.imm ?? 0) : Number(BigInt.asIntN(32, imm64));
  const high = imm64 === undefined ? (operands.nextImm ?? 0) : Number(BigInt.asIntN(32, imm64 >> 32n));
  writeInsn(bytes, 0, {
    opcode: row.opcode,
    dst: typeof row.dst === 'number' ? row.dst : (operands.dst ?? 0),
    src: typeof row.src === 'number' ? row.src : (operands.src ?? 0),
    off: typeof row.off === 'number' ? row.off : (operands.off ?? 0),
    imm: typeof row.imm === 'number' ? row.imm : low,
  });
  if (row.wide) writeInsn(bytes, 1, { opcode: 0, dst: 0, src: 0, off: 0, imm: high });
  return bytes;
}
