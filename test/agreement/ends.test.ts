import { describe, expect, test, vi } from 'vitest';
import { u32Bytes } from '#core/bytes/little-endian.ts';
import { prepareInput } from '#core/ctx/setup.ts';
import type { Engine } from '#core/interp/engine.ts';
import { isAmidLoaded } from '#core/interp/execute-one.ts';
import { reference } from '#core/interp/reference.ts';
import type { Insn } from '#core/isa/insn.ts';
import { readInsn, writeInsn } from '#core/isa/insn.ts';
import { wasm } from '#core/jit/wasm/engine.ts';
import { createMap, isRefusal } from '#core/maps/create.ts';
import type { MapDef } from '#core/object/object.ts';
import { type BpfProg, bpfProgLoad } from '#core/prog/load.ts';
import { ENGINES, notCompiled } from '#core/session/engines.ts';
import type { Cpu } from '#core/vm/cpu.ts';
import { Machine } from '#core/vm/machine.ts';
import type { BpfMap } from '#core/vm/map.ts';
import { x86Sim } from '#core/x86-sim/x86-sim.ts';
import { encode, insn } from '../interp/build.ts';

const PROGS: MapDef = {
  name: 'progs',
  type: 'prog_array',
  keySize: 4,
  valueSize: 4,
  maxEntries: 1,
  flags: 0,
};
const HASH: MapDef = { ...PROGS, name: 'hash', type: 'hash', valueSize: 8, maxEntries: 4 };

/** Writes to the packet, so that it begins with more than its first instruction; then tail calls what index 0 holds. */
const WRITES = [
  ...insn('mov64_reg', { dst: 6, src: 1 }),
  ...insn('ldxw', { dst: 7, src: 6, off: 76 }),
  ...insn('stb', { dst: 7, off: 0, imm: 7 }),
  ...insn('lddw_map_fd', { dst: 2, imm: 0 }),
  ...insn('mov64_imm', { dst: 3, imm: 0 }),
  ...insn('call_helper', { imm: 12 }),
  ...insn('mov64_imm', { dst: 0, imm: 0 }),
  ...insn('exit'),
];

const ROUNDS = 100_000;
/** Looks a key up in a hash map, again and again: a call with other instructions behind it. */
const LOOKS_UP = [
  ...insn('mov64_imm', { dst: 6, imm: ROUNDS }),
  ...insn('stw', { dst: 10, off: -4, imm: 1 }),
  ...insn('mov64_reg', { dst: 2, src: 10 }),
  ...insn('add64_imm', { dst: 2, imm: -4 }),
  ...insn('lddw_map_fd', { dst: 1, imm: 0 }),
  ...insn('call_helper', { imm: 1 }),
  ...insn('sub64_imm', { dst: 6, imm: 1 }),
  ...insn('jne64_imm', { dst: 6, imm: 0, off: -7 }),
  ...insn('mov64_imm', { dst: 0, imm: 0 }),
  ...insn('exit'),
];

function newMap(machine: Machine, def: MapDef): BpfMap {
  const map = createMap(machine, def);
  if (isRefusal(map)) throw new Error(map.message);
  return map;
}

function loadInto(machine: Machine, name: string, slots: readonly Insn[], map: BpfMap): BpfProg {
  const rest = { license: 'GPL', lineInfo: [], files: [], funcs: [], maps: [map.def as MapDef] };
  const attr = { name, progType: 'sched_cls', insns: encode(slots), ...rest } as const;
  const loaded = bpfProgLoad(machine, attr, { maps: [map] });
  if (!loaded.ok) throw new Error(loaded.refusal.message);
  return loaded.prog;
}

/** In front of the first instruction of `first`, which tail calls `second`. */
function entered(machine: Machine, first: BpfProg, second: BpfProg, map: BpfMap): void {
  map.update(u32Bytes(0), u32Bytes(second.id), 0n);
  const prepared = prepareInput(machine, 0, first, { data: new Uint8Array(14) });
  machine.enter(machine.cpu(0), first, prepared.r1, prepared.r2);
}

/** Where a CPU stands, and with what. */
function state(cpu: Cpu): string {
  const registers = Array.from({ length: 11 }, (_, n) => cpu.readReg(n).toString(16)).join();
  return `${cpu.prog.name} ${cpu.pc}, ${cpu.insnsExecuted} executed, ${cpu.regInitialised}: ${registers}`;
}

/**
 * Breaks the end of a loaded program, which is not reached, so that nobody compiles it: `wasm` no program that changes R10,
 * `x86-64` none with an unknown opcode.
 */
function breakEnd({ xlated }: BpfProg): void {
  const last = xlated.length / 8 - 1;
  writeInsn(xlated, last - 1, { ...readInsn(xlated, last - 1), dst: 10 });
  writeInsn(xlated, last, { ...readInsn(xlated, last), opcode: 0xff });
}

/** The state after each of these budgets, one run after the other. */
function states(engine: Engine, budgets: readonly number[], breakpoints: boolean, broken: boolean): string[] {
  const machine = new Machine({ shared: false });
  const map = newMap(machine, PROGS);
  const first = loadInto(machine, 'first', WRITES, map);
  const second = loadInto(machine, 'second', WRITES, map);
  if (broken) breakEnd(second);
  const compiles = engine === wasm || engine === x86Sim;
  expect(notCompiled(engine, machine, [first, second])).toHaveLength(broken && compiles ? 1 : 0);
  entered(machine, first, second, map);
  return budgets.map((budget) => {
    const { kind } = engine.run(machine, 0, { budget, breakpoints, resume: true });
    return `${kind}: ${state(machine.cpu(0))}`;
  });
}

describe.each(ENGINES.map((engine) => [engine.name, engine] as const))('%s', (_, engine) => {
  test.each([
    ['plain', false, false],
    ['debuggable', true, false],
    ['into a program that is not compiled', false, true],
    ['debuggable, into a program that is not compiled', true, true],
  ] as const)(
    'a budget ends behind what a program begins with in addition: %s',
    (__, breakpoints, broken) => {
      for (let budget = 1; budget < 30; budget++) {
        const budgets = Array<number>(Math.ceil(60 / budget)).fill(budget);
        expect(states(engine, budgets, breakpoints, broken), `budget ${budget}`).toEqual(
          states(reference, budgets, breakpoints, broken),
        );
      }
    },
  );

  test('a pause that is asked for amid what stands for a call comes behind it', () => {
    const machine = new Machine({ shared: false });
    const map = newMap(machine, HASH);
    const prog = loadInto(machine, 'lookups', LOOKS_UP, map);
    const cpu = machine.cpu(0);
    let calls = 0;
    const ops = map.programOps;
    if (ops === undefined) throw new Error('programs cannot look into it');
    const lookup = ops.lookup.bind(ops);
    vi.spyOn(ops, 'lookup').mockImplementation((key, index) => {
      if (++calls % 100 === 0) cpu.requestPause();
      return lookup(key, index);
    });
    const prepared = prepareInput(machine, 0, prog, { data: new Uint8Array(14) });
    machine.enter(cpu, prog, prepared.r1, prepared.r2);
    const limits = { budget: 2 ** 40, breakpoints: false, resume: true } as const;
    let pauses = 0;
    for (; engine.run(machine, 0, limits).kind === 'pause'; pauses++) expect(isAmidLoaded(cpu)).toBe(false);
    expect(calls).toBe(ROUNDS);
    // The others look between slices only.
    expect(pauses).toBeGreaterThan(engine === wasm ? (0.9 * ROUNDS) / 100 : 0);
  });
});
