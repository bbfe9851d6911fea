import { TABLE_ROWS, type TableRow } from '#core/isa/decode.ts';
import type { Branch } from './code.ts';
import { type FunctionBuilder, pick, type StepWriter } from './function-builder.ts';
import { copyOf, merged, NONE, SCALAR } from './typed-state.ts';

const isAlu = ({ opcode }: TableRow): boolean => (opcode & 7) === 4 || (opcode & 7) === 7;

/** Arithmetic of programs as loaded; `addr_space_cast` is for arenas. */
const ALU_ROWS = TABLE_ROWS.filter((row) => isAlu(row) && !row.rewrittenOnly && row.id !== 'addr_space_cast');
const CONDITIONS = TABLE_ROWS.filter((row) => row.flow === 'branch' && row.id !== 'may_goto');
const LOOP_CONDITIONS = ['jne64_imm', 'jne32_imm', 'jsgt64_imm', 'jgt32_imm'] as const;

const DIV = 0x30;
const MOD = 0x90;
const DIVISIONS = ALU_ROWS.filter(({ opcode }) => (opcode & 0xf0) === DIV || (opcode & 0xf0) === MOD);
const SHIFTS: ReadonlySet<number> = new Set([0x60, 0x70, 0xc0]);

const alu: StepWriter = (fn, { a, b, c, imm }) => {
  const row = pick(ALU_ROWS, c);
  if (row === undefined) return;
  const src = row.src === 'r' ? fn.scalar(b) : 0;
  const dst = row.dst === 'w' ? (fn.writable(a) ?? fn.changeable(a)) : fn.changeable(a);
  const op = row.opcode & 0xf0;
  const wide = (row.opcode & 7) === 7;
  const shift = SHIFTS.has(op) ? imm & (wide ? 63 : 31) : imm;
  fn.emit(row.id, { dst, src, imm: (op === DIV || op === MOD) && imm === 0 ? 1 : shift });
  fn.set(dst, SCALAR);
};

const mov: StepWriter = (fn, { a, b, imm }) => {
  const dst = fn.writable(a) ?? 0;
  if (b % 3 === 0) fn.copy(dst, fn.scalar(b >> 2));
  else fn.move(dst, imm);
};

/** Upper and lower halves of 64-bit numbers at which things change. */
const WIDE_EDGES = [
  [-0x80000000, 0],
  [0x7fffffff, -1],
  [0, -1],
  [1, 0],
  [0, -0x80000000],
  [-1, -0x80000000],
  [-0x80000000, -1],
] as const;

const lddw: StepWriter = (fn, { a, b, c, imm }) => {
  const dst = fn.writable(a) ?? 0;
  const [next, low] = (c % 2 ? pick(WIDE_EDGES, b) : undefined) ?? [(b << 16) | c, imm];
  fn.emit('lddw', { dst, imm: low, next });
  fn.set(dst, SCALAR);
};

/** Divides the least numbers, by numbers at which divisions change: −1, 0, 1, themselves. */
const division: StepWriter = (fn, { a, b, c, imm }) => {
  const row = pick(DIVISIONS, c);
  if (row === undefined) return;
  const src = fn.writable(b) ?? 0;
  const dst = fn.changeable(a);
  if (src === dst) return;
  if (imm % 3) fn.emit('lddw', { dst, imm: imm % 2 ? 0 : -0x80000000, next: imm % 2 ? -0x80000000 : b });
  const by = pick([-1, 0, 1, -0x80000000, imm], a >> 3) ?? imm;
  fn.move(src, by);
  fn.set(dst, SCALAR);
  fn.emit(row.id, { dst, src, imm: by === 0 ? 1 : by });
};

/** A condition over numbers; the branch is to be told its target. */
function condition(fn: FunctionBuilder, a: number, b: number, c: number, imm: number): Branch {
  const row = pick(CONDITIONS, c) ?? CONDITIONS[0];
  const src = row?.src === 'r' ? fn.scalar(b) : 0;
  return fn.emit(row?.id ?? 'jeq64_imm', { dst: fn.scalar(a), src, imm });
}

/** Jumps forward: the condition's way leads over the first body into the second, if there is one. */
const branch: StepWriter = (fn, { a, b, c, imm }) => {
  const taken = condition(fn, a, b, c, imm);
  if (b % 3 !== 0) {
    fn.skippable([taken], a % 5);
    return;
  }
  const before = copyOf(fn.state);
  fn.body(a % 4);
  const over = fn.emit(b % 2 ? 'jal' : 'ja');
  fn.code.land(taken);
  const first = fn.state;
  fn.state = before;
  fn.body(1 + (c % 3));
  fn.code.land(over);
  fn.state = merged(first, fn.state);
};

/**
 * A body that is executed up to five times. It may rely only on what its own end leaves again: pointers
 * are given up before it, and numbers that it has lost are made anew behind it.
 */
const loop: StepWriter = (fn, { a, b, c, imm }) => {
  const counter = pick(
    fn.regsWhere((_, r) => r >= 6 && !fn.locked.has(r)),
    a,
  );
  if (counter === undefined || fn.inLoop) return;
  const times = 1 + (b % 5);
  const up = c % 2 === 0;
  for (const r of fn.regsWhere((reg, i) => reg.kind === 'pointer' && !fn.locked.has(i))) fn.move(r, imm);
  fn.state.spills.fill(NONE);
  fn.move(counter, up ? 0 : times);
  fn.locked.add(counter);
  fn.inLoop = true;
  const top = fn.code.here;
  const before = copyOf(fn.state);
  fn.body(1 + (c % 4));
  for (const r of fn.scalars().length > 0 ? fn.regsWhere((reg) => reg.kind !== 'scalar') : []) {
    if (before.regs[r]?.kind === 'scalar') fn.move(r, imm);
  }
  fn.emit('add64_imm', { dst: counter, imm: up ? 1 : -1 });
  const id = LOOP_CONDITIONS[a % LOOP_CONDITIONS.length] ?? 'jne64_imm';
  const back = up
    ? fn.emit(a % 2 ? 'jlt64_imm' : 'jslt32_imm', { dst: counter, imm: times })
    : fn.emit(id, { dst: counter, imm: 0 });
  fn.code.land(back, top);
  fn.locked.delete(counter);
  fn.inLoop = false;
};

/** Never taken: the first eight million times it falls through. */
const mayGoto: StepWriter = (fn, { a }) => {
  fn.skippable([fn.emit('may_goto')], a % 4);
};

/** Jumps to where it would go on anyhow. */
const nop: StepWriter = (fn, { a, b, c, imm }) => {
  if (a % 4 === 0) fn.code.land(condition(fn, a >> 2, b, c, imm));
  else fn.code.land(fn.emit(a % 2 ? 'ja' : 'jal'));
};

const earlyExit: StepWriter = (fn, { a, b, c, imm }) => {
  const over = condition(fn, a, b, c, imm);
  const result = fn.scalar(b);
  if (result !== 0) fn.emit('mov64_reg', { dst: 0, src: result });
  fn.emit('exit');
  fn.code.land(over);
};

/** Steps of arithmetic and control flow. */
export const FLOW_STEPS = { alu, mov, lddw, division, branch, loop, mayGoto, nop, earlyExit } as const;
