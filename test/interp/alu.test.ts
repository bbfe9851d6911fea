import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { reference } from '#core/interp/reference.ts';
import { TABLE_ROWS } from '#core/isa/decode.ts';
import type { Insn } from '#core/isa/insn.ts';
import type { Machine } from '#core/vm/machine.ts';
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

/** Runs `slots` with the two registers set; the machine afterwards. */
function run(slots: readonly Insn[], dst: bigint, src: bigint): Machine {
  const prog = load(machine, slots);
  machine.enter(0, prog, 0n);
  const cpu = machine.cpu(0);
  cpu.writeReg(DST, dst);
  cpu.writeReg(SRC, src);
  const stop = reference.run(machine, 0, { budget: 100, breakpoints: false, resume: false });
  machine.progs.delete(prog.id);
  expect(stop).toEqual({ kind: 'exit' });
  return machine;
}

const unsigned = (imm: number): bigint => BigInt.asUintN(64, BigInt(imm));

function checkAlu({ id, operand, result }: AluCase, dst: bigint, src: bigint, imm: number): void {
  const cpu = run([...insn(id, { dst: DST, src: SRC, imm }), ...EXIT], dst, src).cpu(0);
  const second = operand === 'imm' ? unsigned(imm) : src;
  expect(hex(cpu.readReg(DST)), `${id} ${hex(dst)}, ${hex(second)}`).toBe(hex(result(dst, second)));
  expect(cpu.readReg(SRC)).toBe(src);
}

function checkJump({ id, operand, taken }: JumpCase, dst: bigint, src: bigint, imm: number): void {
  const fallThrough = [...insn('mov64_imm', { dst: 0, imm: 1 }), ...EXIT];
  const slots = [
    ...insn(id, { dst: DST, src: SRC, imm, off: 2 }),
    ...fallThrough,
    ...insn('mov64_imm', { dst: 0, imm: 2 }),
    ...EXIT,
  ];
  const cpu = run(slots, dst, src).cpu(0);
  const second = operand === 'imm' ? unsigned(imm) : src;
  expect(cpu.readReg(0), `${id} ${hex(dst)}, ${hex(second)}`).toBe(taken(dst, second) ? 2n : 1n);
  expect([cpu.readReg(DST), cpu.readReg(SRC)]).toEqual([dst, src]);
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
        const cpu = run([...insn(row.id, { dst: DST, src: DST }), ...EXIT], value, 0n).cpu(0);
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
