import { rowsOfOpcode, type TableRow } from '../../isa/decode.ts';
import type { Insn } from '../../isa/insn.ts';

type Field = 'dst' | 'src' | 'off' | 'imm';
const FIELDS: readonly Field[] = ['dst', 'src', 'off', 'imm'];

/** For each opcode the fields in which its rows require different numbers. */
const TELLING: readonly (readonly Field[])[] = Array.from({ length: 256 }, (_, opcode) => {
  const rows = rowsOfOpcode(opcode);
  const required = (field: Field) =>
    rows.map((row) => row[field]).filter((value) => typeof value === 'number');
  return FIELDS.filter(
    (field) => new Set(required(field)).size > 1 && !(field === 'imm' && isRegisterAlu(opcode)),
  );
});

/** Arithmetic on two registers, which has no use for `imm` (byte swaps do). */
function isRegisterAlu(opcode: number): boolean {
  const isAlu = (opcode & 7) === 4 || (opcode & 7) === 7;
  return isAlu && (opcode & 8) !== 0 && opcode >> 4 !== 0xd;
}

/**
 * The row of an instruction of a rewritten program. Other than in programs as loaded, fields that an
 * instruction does not use may hold anything: the converter of classic BPF leaves registers and numbers there,
 * the verifier marks (1 in `imm` of a move that only clears the upper half), calls have a distance in `off`.
 * So only those fields count in which the rows of the opcode require different numbers.
 */
export function rowOf(insn: Insn): TableRow | undefined {
  const telling = TELLING[insn.opcode] ?? [];
  return rowsOfOpcode(insn.opcode).find((row) =>
    telling.every((field) => typeof row[field] !== 'number' || row[field] === insn[field]),
  );
}
