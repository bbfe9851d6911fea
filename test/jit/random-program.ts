import fc from 'fast-check';
import { TABLE_ROWS, type TableRow } from '#core/isa/decode.ts';
import type { Insn } from '#core/isa/insn.ts';
import type { InsnId } from '#core/isa/table.ts';
import { EXIT, insn } from '../interp/build.ts';

/** A random program of raw slots: any control flow, calls of any slot, accesses that mostly hit something. */
export interface RandomProgram {
  readonly slots: readonly Insn[];
}

const ALU = TABLE_ROWS.filter(
  ({ opcode, flow, access }) =>
    (opcode & 7) % 8 !== 0 &&
    flow === 'next' &&
    access === undefined &&
    ((opcode & 7) === 4 || (opcode & 7) === 7),
);
const BRANCHES = TABLE_ROWS.filter(
  ({ flow, id }) => (flow === 'branch' || flow === 'jump') && id !== 'may_goto',
);
const MEMORY = TABLE_ROWS.filter(({ access, group }) => access !== undefined && group !== 'packet');
const OTHER = TABLE_ROWS.filter(({ id }) => id !== 'call_local');
/** Helpers without effects that differ from run to run: ktime, prandom, cpu. And numbers that are none. */
const HELPERS = [5, 7, 8, 5, 7, 8, 9999];

const register = fc.integer({ min: 0, max: 9 });
const pointer = fc.constantFrom(10, 10, 10, 1, 1, 6, 7, 8, 3);
const offset = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 64 }).map((n) => -8 * n) },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 63 }) },
  { weight: 1, arbitrary: fc.integer({ min: -600, max: 80 }) },
);
const number = fc.oneof(
  fc.integer({ min: -3, max: 12 }),
  fc.constantFrom(-1, 0, 1, 63, 64, 0x7fffffff, -0x80000000, 0x1234),
  fc.integer(),
);

function slots(row: TableRow, dst: number, src: number, off: number, imm: number): Insn[] {
  return insn(row.id as InsnId, { dst, src, off, imm, hi: imm >> 7 });
}

const alu = fc
  .tuple(fc.constantFrom(...ALU), register, fc.integer({ min: 0, max: 10 }), number)
  .map(([row, dst, src, imm]) => slots(row, dst, src, 0, imm));

const memory = fc
  .tuple(fc.constantFrom(...MEMORY), register, pointer, offset, number)
  .map(([row, other, base, off, imm]) =>
    row.dst === 'w' ? slots(row, other, base, off, imm) : slots(row, base, other, off, imm),
  );

/** A pointer into this frame, or to the memory that R1 pointed to at the start. */
const point = fc
  .tuple(fc.constantFrom(6, 7, 8, 3), fc.constantFrom(10, 10, 1), fc.integer({ min: -64, max: 8 }))
  .map(([dst, src, imm]) => [...insn('mov64_reg', { dst, src }), ...insn('add64_imm', { dst, imm })]);

const jump = fc
  .tuple(fc.constantFrom(...BRANCHES), register, register, fc.integer({ min: -20, max: 20 }), number)
  .map(([row, dst, src, off, imm]) => slots(row, dst, src, off, row.imm === 'jump' ? off : imm));

const call = fc.integer({ min: -30, max: 30 }).map((imm) => insn('call_local', { imm }));
const helper = fc.constantFrom(...HELPERS).map((imm) => insn('call_helper', { imm }));
const other = fc
  .tuple(fc.constantFrom(...OTHER), register, register, offset, number)
  .map(([row, dst, src, off, imm]) => slots(row, dst, src, off, imm));

const piece = fc.oneof(
  { weight: 40, arbitrary: alu },
  { weight: 25, arbitrary: memory },
  { weight: 6, arbitrary: point },
  { weight: 20, arbitrary: jump },
  { weight: 4, arbitrary: call },
  { weight: 3, arbitrary: helper },
  { weight: 2, arbitrary: fc.constant(EXIT) },
  { weight: 1, arbitrary: other },
);

/** 3 to some 80 slots. */
export const randomProgram: fc.Arbitrary<RandomProgram> = fc
  .array(piece, { minLength: 2, maxLength: 50 })
  .map((pieces) => ({ slots: [...pieces.flat(), ...EXIT].map(inRange) }));

/** Jumps and calls that lead out of the program are kept, but rare: most are bent back into it. */
function inRange(slot: Insn, index: number, all: readonly Insn[]): Insn {
  const klass = slot.opcode & 7;
  const isLocalCall = slot.opcode === 0x85 && slot.src === 1;
  const isJump = (klass === 5 || klass === 6) && slot.opcode !== 0x85 && slot.opcode !== 0x95;
  const bend = (distance: number): number => {
    const target = index + 1 + distance;
    if (target >= 0 && target < all.length) return distance;
    if ((index * 7 + distance) % 11 === 0) return distance;
    return (((target % all.length) + all.length) % all.length) - index - 1;
  };
  if (isLocalCall || slot.opcode === 0x06) return { ...slot, imm: bend(slot.imm) };
  return isJump ? { ...slot, off: bend(slot.off) } : slot;
}
