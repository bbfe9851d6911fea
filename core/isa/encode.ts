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
 * The 8 or 16 bytes of an instruction. Values must fit their fields (`fitsField`); they are cut to
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

/** A numeric field of an instruction, as assembly text fills it. */
export type NumericField = 'imm' | 'imm64' | 'off' | 'target' | 'ltarget' | 'index';

/** What may stand in a field: both ends included, and how to say it. */
export interface FieldRange {
  readonly min: bigint;
  readonly max: bigint;
  /** For messages: `32 bits`, `a signed 16-bit offset`. */
  readonly words: string;
}

const RANGES: Readonly<Record<NumericField, FieldRange>> = {
  imm: { min: -(1n << 31n), max: (1n << 32n) - 1n, words: '32 bits' },
  imm64: { min: -(1n << 63n), max: (1n << 64n) - 1n, words: '64 bits' },
  off: { min: -(1n << 15n), max: (1n << 15n) - 1n, words: 'a signed 16-bit offset' },
  target: { min: -(1n << 15n), max: (1n << 15n) - 1n, words: 'a signed 16-bit jump' },
  ltarget: { min: -(1n << 31n), max: (1n << 31n) - 1n, words: 'a signed 32-bit jump' },
  index: { min: 0n, max: (1n << 31n) - 1n, words: 'a number from 0 to 0x7fffffff' },
};

/**
 * Values that source text may give for a field. `imm` takes signed and unsigned spellings of the
 * same 32 bits, as other assemblers do; that a 64-bit operation sign-extends it is for a warning.
 */
export function fieldRange(field: NumericField): FieldRange {
  return RANGES[field];
}

/** Does `value` fit `field`? */
export function fitsField(value: bigint, field: NumericField): boolean {
  const { min, max } = RANGES[field];
  return value >= min && value <= max;
}
