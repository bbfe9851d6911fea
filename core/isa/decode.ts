import { INSN_SIZE, type Insn, type InsnIndex, readInsn } from './insn.ts';
import type { InsnRow } from './row.ts';
import { INSN_TABLE, type InsnId } from './table.ts';

/** A row of the instruction table with its own id as a literal type. */
export type TableRow = InsnRow & { readonly id: InsnId };

/** Opcode of the only wide instruction: `BPF_LD | BPF_IMM | BPF_DW`. */
export const WIDE_OPCODE = 0x18;

/** One instruction as it stands in a program. */
export interface Decoded {
  /** Slot it begins at. */
  readonly index: InsnIndex;
  /** Fields of the first slot. */
  readonly insn: Insn;
  /** Its row; undefined when no row has this opcode and these required fields. */
  readonly row: TableRow | undefined;
  /** Slots it takes. */
  readonly length: 1 | 2;
  /** Unsigned 64 bits, `next_imm << 32 | imm`; wide instructions only. */
  readonly imm64?: bigint;
  /** `imm` of the second slot, signed; wide instructions only. */
  readonly nextImm?: number;
  /** The second slot; wide instructions only. All but its `imm` must be 0 (`insnProblem` tells). */
  readonly next?: Insn;
}

const rows: readonly TableRow[] = INSN_TABLE;
const none: readonly TableRow[] = [];
const byOpcode = new Map<number, TableRow[]>();
const byId = new Map<InsnId, TableRow>();
for (const row of rows) {
  byId.set(row.id, row);
  const same = byOpcode.get(row.opcode);
  if (same) same.push(row);
  else byOpcode.set(row.opcode, [row]);
}

/** All rows, in the table's order, with their common type. */
export const TABLE_ROWS: readonly TableRow[] = rows;

/** The rows of an opcode byte, 0 … 255; empty when there is none. */
export function rowsOfOpcode(opcode: number): readonly TableRow[] {
  return byOpcode.get(opcode) ?? none;
}

/** The row called `id`. */
export function rowById(id: InsnId): TableRow {
  const row = byId.get(id);
  if (!row) throw new RangeError(`no instruction is called ${id}`);
  return row;
}

/**
 * The row whose opcode and required fields (dst, src, off, imm given as numbers) all match.
 * At most one row matches a slot (a test holds it).
 */
export function findRow(insn: Insn): TableRow | undefined {
  const candidates = byOpcode.get(insn.opcode);
  if (!candidates) return undefined;
  for (const row of candidates) {
    if (typeof row.dst === 'number' && row.dst !== insn.dst) continue;
    if (typeof row.src === 'number' && row.src !== insn.src) continue;
    if (typeof row.off === 'number' && row.off !== insn.off) continue;
    if (typeof row.imm === 'number' && row.imm !== insn.imm) continue;
    return row;
  }
  return undefined;
}

/** Slots that the instruction at `index` takes: 2 for a wide one whose second slot is there. */
function insnLength(bytes: Uint8Array, index: InsnIndex): 1 | 2 {
  return bytes[index * INSN_SIZE] === WIDE_OPCODE && (index + 2) * INSN_SIZE <= bytes.length ? 2 : 1;
}

/** Reads the instruction at slot `index`; throws RangeError only when the slot is not wholly inside. */
export function decodeInsn(bytes: Uint8Array, index: InsnIndex): Decoded {
  const insn = readInsn(bytes, index);
  const row = findRow(insn);
  if (insnLength(bytes, index) === 1) return { index, insn, row, length: 1 };
  const next = readInsn(bytes, index + 1);
  const nextImm = next.imm;
  const imm64 = (BigInt(nextImm >>> 0) << 32n) | BigInt(insn.imm >>> 0);
  return { index, insn, row, length: 2, imm64, nextImm, next };
}

/** Reads a whole program, wide instructions as one. A tail shorter than a slot is left out. */
export function decodeProgram(bytes: Uint8Array): Decoded[] {
  const all: Decoded[] = [];
  const end = Math.floor(bytes.length / INSN_SIZE);
  for (let index = 0; index < end; ) {
    const decoded = decodeInsn(bytes, index);
    all.push(decoded);
    index += decoded.length;
  }
  return all;
}

/** Registers (0 … 11) that the instruction reads, implicit ones included, ascending. */
export function insnReads(decoded: Decoded): number[] {
  return registersOf(decoded, 'r', decoded.row?.reads);
}

/** Registers (0 … 11) that the instruction gives a new value or makes unusable, ascending. */
export function insnWrites(decoded: Decoded): number[] {
  return registersOf(decoded, 'w', decoded.row?.writes);
}

function registersOf(decoded: Decoded, use: 'r' | 'w', implicit: readonly number[] = []): number[] {
  const { insn, row } = decoded;
  const found = [...implicit];
  if (typeof row?.dst === 'string' && row.dst.includes(use) && !found.includes(insn.dst))
    found.push(insn.dst);
  if (typeof row?.src === 'string' && row.src.includes(use) && !found.includes(insn.src))
    found.push(insn.src);
  return found.length > 1 ? found.sort((a, b) => a - b) : found;
}

/**
 * Slot that a jump, a branch, a local call or a function address refers to; undefined for other
 * instructions. It may lie outside the program.
 */
export function insnTarget(decoded: Decoded): InsnIndex | undefined {
  const { index, insn, row } = decoded;
  if (row?.off === 'jump') return index + 1 + insn.off;
  if (row?.imm === 'jump' || row?.imm === 'func') return index + 1 + insn.imm;
  return undefined;
}
