import { describe, expect, test } from 'vitest';
import { reference } from '#core/interp/reference.ts';
import { DENSE } from '#core/interp-wasm/emitters.ts';
import { interp } from '#core/interp-wasm/interp.ts';
import { TABLE_ROWS } from '#core/isa/decode.ts';
import { Machine } from '#core/vm/machine.ts';
import { EXIT, encode, insn, load, newMachine } from '../interp/build.ts';
import { wholeState } from '../interp/whole-state.ts';

const NO_LIMIT = { budget: Number.POSITIVE_INFINITY, breakpoints: false, resume: false };
const add = insn('add64_imm', { dst: 0, imm: 1 });
/** `n` additions and an exit. */
const straight = (n: number): Uint8Array => encode([...Array.from({ length: n }, () => add).flat(), ...EXIT]);

test('what the module does not execute itself is what cannot be done without the machine', () => {
  const native = new Set<string>(DENSE.map(([code]) => code));
  const left = TABLE_ROWS.map(({ id }) => id).filter((id) => !native.has(id));
  expect(left.sort()).toEqual([
    'call_helper',
    'call_kfunc',
    'callx',
    ...['ldabsb', 'ldabsh', 'ldabsw'],
    'lddw_btf_id',
    // Made to wide loads of a number where the map or function is known.
    ...['lddw_func', 'lddw_map_fd', 'lddw_map_idx', 'lddw_map_idx_value', 'lddw_map_value'],
    ...['ldindb', 'ldindh', 'ldindw'],
    ...['probe_atomic32', 'probe_atomic64'],
    'tail_call',
  ]);
});

test('a straight run of 200,000 instructions is counted exactly, wherever it is stopped', () => {
  const slots = straight(200_000);
  for (const budget of [70_000, 65_535, 65_536, 1, 200_001]) {
    const machines = [newMachine(), newMachine()] as const;
    for (const machine of machines) machine.enter(0, load(machine, slots), 0n);
    const want = reference.run(machines[0], 0, { ...NO_LIMIT, budget });
    expect(interp.run(machines[1], 0, { ...NO_LIMIT, budget })).toEqual(want);
    expect(wholeState(machines[1])).toEqual(wholeState(machines[0]));
  }
});

describe('memory', () => {
  test('what the interpreter keeps is in no account, and goes with the program', () => {
    const machine = newMachine();
    const before = [machine.memory.takenBytes, machine.memory.takenBlocks];
    for (let round = 0; round < 30; round++) {
      // Together more than the machine may have.
      const prog = load(machine, straight(50_000));
      machine.enter(0, prog, 0n);
      expect(interp.run(machine, 0, NO_LIMIT).kind).toBe('exit');
      machine.progs.delete(prog.id);
    }
    expect([machine.memory.takenBytes, machine.memory.takenBlocks]).toEqual(before);
  });

  test('a program for which there is no memory runs all the same', () => {
    const machine = new Machine({ shared: false, maxMemory: 2 ** 20 });
    machine.enter(0, load(machine, straight(70_000)), 0n);
    expect(interp.run(machine, 0, NO_LIMIT).kind).toBe('exit');
    expect([machine.cpu(0).readReg(0), machine.cpu(0).insnsExecuted]).toEqual([70_000n, 70_001n]);
  });

  test.each([true, false])('memory that grew between two runs (shared: %s)', (shared) => {
    const machine = new Machine({ shared });
    const counter = [...add, ...insn('stxdw', { dst: 10, src: 0, off: -8 }), ...insn('ja', { off: -3 })];
    machine.enter(0, load(machine, counter), 0n);
    interp.run(machine, 0, { ...NO_LIMIT, budget: 3000 });
    const { generation } = machine.memory;
    machine.space.alloc({ name: 'big', kind: 'memory', size: 2 ** 25, perm: 'rw' });
    // More regions than the table had room for: it moves.
    for (let n = 0; n < 1000; n++) machine.space.alloc({ name: `${n}`, kind: 'memory', size: 8, perm: 'r' });
    expect(machine.memory.generation).toBeGreaterThan(generation);
    interp.run(machine, 0, { ...NO_LIMIT, budget: 3000 });
    const top = machine.space.read(machine.cpu(0).readReg(10) - 8n, 8);
    expect(top).toEqual(new Uint8Array(BigUint64Array.of(2000n).buffer));
  });
});

test('each CPU has registers of its own', () => {
  const machine = newMachine({ nCpus: 3 });
  const prog = load(machine, [...insn('mov64_reg', { dst: 0, src: 1 }), ...add, ...EXIT]);
  for (const cpu of [2, 0, 1]) machine.enter(cpu, prog, BigInt(cpu * 100));
  for (const cpu of [1, 2, 0])
    expect(interp.run(machine, cpu, { ...NO_LIMIT, budget: 100 }).kind).toBe('exit');
  expect(machine.cpus.map((cpu) => cpu.readReg(0))).toEqual([1n, 101n, 201n]);
});

test('breakpoints that come, go and move while the program stands are obeyed', () => {
  const machine = newMachine();
  const prog = load(machine, [...add, ...add, ...add, ...add, ...insn('ja', { off: -5 })]);
  machine.enter(0, prog, 0n);
  const stopAt = (resume: boolean): unknown => {
    const stop = interp.run(machine, 0, { budget: 1000, breakpoints: true, resume });
    return [stop.kind, machine.cpu(0).pc, machine.cpu(0).insnsExecuted];
  };
  prog.breakpoints.set(2, 1);
  expect(stopAt(false)).toEqual(['breakpoint', 2, 2n]);
  expect(stopAt(false)).toEqual(['breakpoint', 2, 2n]);
  expect(stopAt(true)).toEqual(['breakpoint', 2, 7n]);
  prog.breakpoints.set(2, 0);
  prog.breakpoints.set(4, 2);
  expect(stopAt(true)).toEqual(['breakpoint', 4, 9n]);
  // Not obeyed: those that are set are passed.
  expect(interp.run(machine, 0, { budget: 100, breakpoints: false, resume: false }).kind).toBe('budget');
  expect(machine.cpu(0).insnsExecuted).toBe(109n);
  prog.breakpoints.set(4, 0);
  expect(stopAt(false)).toEqual(['budget', 4, 1109n]);
});
