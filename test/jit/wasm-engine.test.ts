import { expect, test } from 'vitest';
import type { Engine } from '#core/interp/engine.ts';
import { reference } from '#core/interp/reference.ts';
import type { Insn } from '#core/isa/insn.ts';
import { wasm, whyNotCompiled } from '#core/jit/wasm/engine.ts';
import type { Machine } from '#core/vm/machine.ts';
import { EXIT, insn, load, newMachine } from '../interp/build.ts';

const ALL = { budget: Number.POSITIVE_INFINITY, breakpoints: false, resume: true } as const;
const ENGINES = [reference, wasm];

function run(engine: Engine, machine: Machine, cpu = 0): bigint {
  expect(engine.run(machine, cpu, ALL)).toEqual({ kind: 'exit' });
  return machine.cpu(cpu).readReg(0);
}

/** R0 = the sum of 1 … `n`, by a function that is called for each, which keeps the sum in its caller's R7. */
function sum(n: number): Insn[] {
  return [
    ...insn('mov64_imm', { dst: 6, imm: n }),
    ...insn('mov64_imm', { dst: 7, imm: 0 }),
    ...insn('mov64_reg', { dst: 1, src: 6 }),
    ...insn('mov64_reg', { dst: 2, src: 7 }),
    ...insn('call_local', { imm: 5 }),
    ...insn('mov64_reg', { dst: 7, src: 0 }),
    ...insn('sub64_imm', { dst: 6, imm: 1 }),
    ...insn('jne64_imm', { dst: 6, imm: 0, off: -6 }),
    ...insn('mov64_reg', { dst: 0, src: 7 }),
    ...EXIT,
    ...insn('mov64_reg', { dst: 0, src: 2 }),
    ...insn('add64_reg', { dst: 0, src: 1 }),
    ...EXIT,
  ];
}

test.each([true, false])('each CPU runs the same code on its own state (shared memory: %s)', (shared) => {
  const machine = newMachine({ nCpus: 2, shared });
  const prog = load(machine, sum(1000));
  expect(whyNotCompiled(machine, prog)).toBeUndefined();
  machine.enter(0, prog, 0n);
  machine.enter(1, prog, 0n);
  for (const cpu of [0, 1, 0, 1]) {
    expect(wasm.run(machine, cpu, { ...ALL, budget: 555 }).kind).toBe('budget');
  }
  expect([0, 1].map((cpu) => machine.cpu(cpu).insnsExecuted)).toEqual([1110n, 1110n]);
  expect([run(wasm, machine, 1), run(wasm, machine, 0)]).toEqual([500500n, 500500n]);
});

test('a long loop is left and entered again; nothing is counted twice', () => {
  const machine = newMachine({ shared: true });
  const prog = load(machine, sum(1_000_000));
  machine.enter(0, prog, 0n);
  expect(run(wasm, machine)).toBe(500_000_500_000n);
  expect(machine.cpu(0).insnsExecuted).toBe(2n + 9n * 1_000_000n + 2n);
});

test.each(ENGINES)('$name: a frame pointer that a debugger has changed is obeyed', (engine) => {
  const machine = newMachine();
  const store = insn('stdw', { dst: 10, off: -8, imm: 1 });
  const prog = load(machine, [...store, ...insn('mov64_imm', { dst: 0, imm: 7 }), ...EXIT]);
  machine.enter(0, prog, 0n);
  machine.cpu(0).writeReg(10, machine.cpu(0).readReg(10) - 504n);
  expect(engine.run(machine, 0, ALL)).toEqual({ kind: 'exit' });
  machine.enter(0, prog, 0n);
  machine.cpu(0).writeReg(10, machine.cpu(0).readReg(10) - 512n);
  expect(engine.run(machine, 0, ALL)).toMatchObject({ kind: 'fault', fault: { kind: 'out_of_bounds' } });
});

test.each(ENGINES)('$name: an extension takes the place of a function, and gives it back', (engine) => {
  const machine = newMachine();
  const main = load(machine, sum(3));
  const other = load(machine, [...insn('mov64_imm', { dst: 0, imm: 42 }), ...EXIT]);
  machine.enter(0, main, 0n);
  expect(run(engine, machine)).toBe(6n);
  const extended = Object.assign(main, { extensions: new Map([[10, other]]) });
  machine.enter(0, extended, 0n);
  expect(run(engine, machine)).toBe(42n);
  extended.extensions.clear();
  machine.enter(0, main, 0n);
  expect(run(engine, machine)).toBe(6n);
});

test.each([
  ['straight', [...insn('mov64_imm', { dst: 0, imm: 1 }), ...insn('add64_imm', { imm: 3 })]],
  ['by a branch', [...insn('mov64_imm', { dst: 0, imm: 1 }), ...insn('jeq64_imm', { imm: 1 })]],
  ['behind a call', [...insn('mov64_imm', { dst: 0, imm: 1 }), ...insn('call_local', { imm: -2 })]],
])('a program that runs past its end (%s) executes its last instruction once', (_, slots) => {
  const [want, got] = ENGINES.map((engine) => {
    const machine = newMachine();
    machine.enter(0, load(machine, slots), 0n);
    const stop = engine.run(machine, 0, ALL);
    const { pc, insnsExecuted, depth } = machine.cpu(0);
    return { stop, pc, insnsExecuted, depth, r0: machine.cpu(0).readReg(0) };
  });
  expect(got).toEqual(want);
  expect(got?.stop).toMatchObject({ kind: 'fault' });
});

test('names of frames in a fault are those of the functions that were called', () => {
  const subprogs = [
    { name: 'main', start: 0, end: 2, stackDepth: 0 },
    { name: 'middle', start: 2, end: 4, stackDepth: 0 },
    { name: 'leaf', start: 4, end: 6, stackDepth: 8 },
  ];
  const slots = [
    ...insn('call_local', { imm: 1 }),
    ...EXIT,
    ...insn('call_local', { imm: 1 }),
    ...EXIT,
    ...insn('stxdw', { dst: 10, src: 1, off: 0 }),
    ...EXIT,
  ];
  const faults = ENGINES.map((engine) => {
    const machine = newMachine();
    machine.enter(0, load(machine, slots, { subprogs }), 0n);
    const stop = engine.run(machine, 0, ALL);
    const frames = machine.cpu(0).frames();
    return { stop, frames: frames.map(({ subprog, pc }) => `${subprog.name} ${pc}`) };
  });
  expect(faults[1]).toEqual(faults[0]);
  expect(faults[1]?.frames).toEqual(['leaf 4', 'middle 2', 'main 0']);
  const message = expect.stringContaining('stack of leaf');
  expect(faults[1]?.stop).toMatchObject({ fault: { message } });
});
