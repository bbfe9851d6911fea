import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TABLE_ROWS } from '#core/isa/decode.ts';
import type { Insn } from '#core/isa/insn.ts';
import type { Machine } from '#core/vm/machine.ts';
import type { ExecProg } from '#core/vm/program.ts';
import { underTest } from '../engines.ts';
import { EXIT, insn, load, newMachine } from './build.ts';
import { type AluCase, aluCases, EDGES, IMMEDIATES, type JumpCase, jumpCases } from './formulas.ts';

/** Registers that no other code in these programs uses: a wrong register number shows. */
const DST = 3;
const SRC = 8;
const seed = 0x5eed;

const machine = newMachine();
/** A number of 64 random bits, an edge, or two edges added. */
const u64 = fc.oneof(
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  fc.constantFrom(...EDGES),
  fc.tuple(fc.constantFrom(...EDGES), fc.constantFrom(...EDGES)).map(([a, b]) => BigInt.asUintN(64, a + b)),
);
const s32 = fc.oneof(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.constantFrom(...IMMEDIATES));

const loaded = new Map<string, ExecProg>();

/** Runs the program called `key` (made by `slots` the first time) with the two registers set. */
function run(key: string, slots: () => readonly Insn[], dst: bigint, src: bigint): Machine {
  const prog = loaded.get(key) ?? load(machine, slots());
  loaded.set(key, prog);
  machine.enter(0, prog, 0n);
  const cpu = machine.cpu(0);
  cpu.writeReg(DST, dst);
  cpu.writeReg(SRC, src);
  const stop = underTest.engine.run(machine, 0, { budget: 100, breakpoints: false, resume: false });
  if (stop.kind !== 'exit') expect(stop).toEqual({ kind: 'exit' });
  return machine;
}

const unsigned = (imm: number): bigint => BigInt.asUintN(64, BigInt(imm));

function checkAlu({ id, operand, result }: AluCase, dst: bigint, src: bigint, imm: number): void {
  const program = (): Insn[] => [...insn(id, { dst: DST, src: SRC, imm }), ...EXIT];
  const cpu = run(operand === 'imm' ? `${id} ${imm}` : id, program, dst, src).cpu(0);
  const second = operand === 'imm' ? unsigned(imm) : src;
  same(`${id} ${hex(dst)}, ${hex(second)}`, cpu.readReg(DST), result(dst, second));
  same(`${id} leaves src alone`, cpu.readReg(SRC), src);
}

/** An expectation that costs nothing when it holds: there are some hundred thousand. */
function same(what: string, got: bigint, want: bigint): void {
  if (got !== want) expect(hex(got), what).toBe(hex(want));
}

function checkJump({ id, operand, taken }: JumpCase, dst: bigint, src: bigint, imm: number): void {
  const program = (): Insn[] => [
    ...insn(id, { dst: DST, src: SRC, imm, off: 2 }),
    ...insn('mov64_imm', { dst: 0, imm: 1 }),
    ...EXIT,
    ...insn('mov64_imm', { dst: 0, imm: 2 }),
    ...EXIT,
  ];
  const cpu = run(operand === 'imm' ? `${id} ${imm}` : id, program, dst, src).cpu(0);
  const second = operand === 'imm' ? unsigned(imm) : src;
  same(`${id} ${hex(dst)}, ${hex(second)}`, cpu.readReg(0), taken(dst, second) ? 2n : 1n);
  same(`${id} leaves dst alone`, cpu.readReg(DST), dst);
  same(`${id} leaves src alone`, cpu.readReg(SRC), src);
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}

describe('arithmetic against formulas', () => {
  test.each(aluCases())('$id: every pair of edges', (row) => {
    const seconds =
      row.operand === 'imm' ? IMMEDIATES.map((imm) => [0n, imm] as const) : EDGES.map((e) => [e, 0] as const);
    for (const dst of EDGES) for (const [src, imm] of seconds) checkAlu(row, dst, src, imm);
  });

  test.each(aluCases())('$id: random operands', (row) => {
    fc.assert(
      fc.property(u64, u64, s32, (dst, src, imm) => checkAlu(row, dst, src, imm)),
      { seed, numRuns: 300 },
    );
  });

  test.each(jumpCases())('$id: every pair of edges', (row) => {
    const seconds =
      row.operand === 'imm' ? IMMEDIATES.map((imm) => [0n, imm] as const) : EDGES.map((e) => [e, 0] as const);
    for (const dst of EDGES) for (const [src, imm] of seconds) checkJump(row, dst, src, imm);
  });

  test.each(jumpCases())('$id: random operands', (row) => {
    fc.assert(
      fc.property(u64, u64, s32, (dst, src, imm) => checkJump(row, dst, src, imm)),
      { seed, numRuns: 200 },
    );
  });

  test('dst and src may be the same register', () => {
    for (const row of aluCases().filter(({ operand }) => operand === 'reg')) {
      for (const value of EDGES) {
        const cpu = run(
          `${row.id} same`,
          () => [...insn(row.id, { dst: DST, src: DST }), ...EXIT],
          value,
          0n,
        ).cpu(0);
        expect(hex(cpu.readReg(DST)), row.id).toBe(hex(row.result(value, value)));
      }
    }
  });

  test('the formulas cover every arithmetic row and every branch of the table', () => {
    const covered = new Set<string>([...aluCases(), ...jumpCases()].map(({ id }) => id));
    const elsewhere = new Set(['addr_space_cast', 'mov64_percpu', 'ja', 'jal', 'may_goto', 'call_helper']);
    const missing = TABLE_ROWS.filter(({ opcode, flow, rewrittenOnly, id }) => {
      const isAlu = (opcode & 7) === 4 || (opcode & 7) === 7;
      return (isAlu || flow === 'branch') && !rewrittenOnly && !covered.has(id) && !elsewhere.has(id);
    });
    expect(missing.map(({ id }) => id)).toEqual([]);
  });
});
