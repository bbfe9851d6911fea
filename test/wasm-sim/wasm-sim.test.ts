import { expect, test } from 'vitest';
import { wasm } from '#core/jit/wasm/engine.ts';
import { CPU_EXECUTED, CPU_TAIL_CALLS } from '#core/vm/layout.ts';
import { Machine } from '#core/vm/machine.ts';
import { WasmSim } from '#core/wasm-sim/wasm-sim.ts';
import { EXIT, insn, load } from '../interp/build.ts';

function entered(...slots: readonly ReturnType<typeof insn>[]): Machine {
  const machine = new Machine({ shared: false });
  machine.enter(0, load(machine, slots.flat()), 0n);
  return machine;
}

const NUMBERS = [
  insn('mov64_imm', { dst: 0, imm: 6 }),
  insn('le64', { dst: 0, imm: 64 }),
  insn('mul64_imm', { dst: 0, imm: 7 }),
  EXIT,
];

test('steps to the end; an instruction without code of its own is passed with the one in front of it', () => {
  const machine = entered(...NUMBERS);
  const cpu = machine.cpu(0);
  const sim = new WasmSim();
  const stops: number[] = [];
  for (;;) {
    const cause = sim.step(machine, machine.cpu(0));
    if (cause?.kind !== 'budget') {
      expect(cause).toEqual({ kind: 'exit' });
      break;
    }
    const { arrived } = sim.stepped(machine, cpu) ?? { arrived: [] };
    if (arrived.length > 0) stops.push(...arrived);
  }
  expect([stops, cpu.readReg(0), cpu.insnsExecuted]).toEqual([[1, 2, 3], 42n, 4n]);
});

test('where it stands is dropped when something else was executed, changed or begun', () => {
  const machine = entered(...NUMBERS);
  const cpu = machine.cpu(0);
  const sim = new WasmSim();
  const start = sim.at(machine, cpu)?.address;
  expect([sim.stepped(machine, cpu), start]).toEqual([undefined, expect.anything()]);
  sim.step(machine, machine.cpu(0));
  expect(sim.stepped(machine, cpu)?.address).toBeGreaterThan(start ?? 0n);

  cpu.writeReg(1, 1n);
  expect([sim.stepped(machine, cpu), sim.at(machine, cpu)?.address]).toEqual([undefined, start]);

  for (const field of [CPU_EXECUTED, CPU_TAIL_CALLS]) {
    sim.step(machine, cpu);
    expect(sim.stepped(machine, cpu)).toBeDefined();
    const { view } = machine.memory;
    view.setUint32(cpu.block + field, view.getUint32(cpu.block + field, true) + 1, true);
    expect(sim.stepped(machine, cpu)).toBeUndefined();
  }

  sim.step(machine, machine.cpu(0));
  wasm.run(machine, 0, { budget: 1, breakpoints: false, resume: false });
  expect(sim.stepped(machine, cpu)).toBeUndefined();

  machine.enter(0, cpu.prog, 0n);
  sim.step(machine, machine.cpu(0));
  machine.enter(0, cpu.prog, 0n);
  expect(sim.at(machine, cpu)?.address).toBeGreaterThan(start ?? 0n);
  sim.forget(cpu);
  expect(sim.at(machine, cpu)?.address).toBe(start);
});

test('a program that is not compiled, or whose R10 was moved, is not stepped', () => {
  const machine = entered(...NUMBERS);
  const cpu = machine.cpu(0);
  const sim = new WasmSim();
  cpu.writeReg(10, 0n);
  expect([sim.canStep(machine, cpu), sim.step(machine, machine.cpu(0)), sim.at(machine, cpu)]).toEqual([
    false,
    undefined,
    undefined,
  ]);
  const refused = entered(insn('mov64_imm', { dst: 10, imm: 6 }), EXIT);
  expect(sim.canStep(refused, refused.cpu(0))).toBe(false);
});

test('a fault leaves the program in front of the instruction, as every engine does', () => {
  const machine = entered(insn('mov64_imm', { dst: 2, imm: 64 }), insn('ldxdw', { dst: 0, src: 2 }), EXIT);
  const sim = new WasmSim();
  let cause = sim.step(machine, machine.cpu(0));
  while (cause?.kind === 'budget') cause = sim.step(machine, machine.cpu(0));
  expect(cause).toMatchObject({ kind: 'fault', fault: { kind: 'out_of_bounds', pc: 1 } });
  expect([machine.cpu(0).pc, machine.cpu(0).insnsExecuted]).toEqual([1, 1n]);
});
