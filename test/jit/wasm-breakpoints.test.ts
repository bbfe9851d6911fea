import { describe, expect, test, vi } from 'vitest';
import type { RunLimits } from '#core/interp/engine.ts';
import { reference } from '#core/interp/reference.ts';
import type { Insn } from '#core/isa/insn.ts';
import { MAX_STRETCH } from '#core/jit/wasm/breakpoint-flags.ts';
import { MAX_FUNCTION_OPS } from '#core/jit/wasm/compile.ts';
import { interpretedInsns, wasm, wasmImage } from '#core/jit/wasm/engine.ts';
import { createMap, isRefusal } from '#core/maps/create.ts';
import type { Machine } from '#core/vm/machine.ts';
import type { ExecProg } from '#core/vm/program.ts';
import { EXIT, insn, load, newMachine } from '../interp/build.ts';

const ALL = { budget: 2 ** 40, breakpoints: true, resume: true } as const;

/** `rounds` times: R0 changes by what `body` does; R6 counts down. */
function loop(rounds: number, body: readonly Insn[]): Insn[] {
  return [
    ...insn('mov64_imm', { dst: 6, imm: rounds }),
    ...insn('mov64_imm', { dst: 0, imm: 0 }),
    ...body,
    ...insn('sub64_imm', { dst: 6, imm: 1 }),
    ...insn('jne64_imm', { dst: 6, imm: 0, off: -body.length - 2 }),
    ...EXIT,
  ];
}

function adds(n: number): Insn[] {
  return Array.from({ length: n }, () => insn('add64_imm', { imm: 1 })).flat();
}

/** Stands at the start of a program with breakpoints at these slots. */
function ready(slots: readonly Insn[], ...breakpoints: number[]): { machine: Machine; prog: ExecProg } {
  const machine = newMachine({ shared: true });
  const prog = load(machine, slots);
  for (const slot of breakpoints) prog.breakpoints.set(slot, 1);
  machine.enter(0, prog, 0n);
  return { machine, prog };
}

/** Goes on: why it stops, where, and at which depth. */
function go(machine: Machine, limits: Partial<RunLimits> = {}, engine = wasm): string {
  const stop = engine.run(machine, 0, { ...ALL, ...limits });
  const cpu = machine.cpu(0);
  return `${stop.kind} ${cpu.prog.name} ${cpu.pc} ${cpu.depth}`;
}

/** Every stop of a whole run, with the instruction counts. */
function stops(engine: typeof wasm, slots: readonly Insn[], ...breakpoints: number[]): string[] {
  const { machine } = ready(slots, ...breakpoints);
  const all: string[] = [];
  for (let last = ''; !/^(exit|fault)/.test(last) && all.length < 100; ) {
    last = go(machine, {}, engine);
    all.push(`${last}, ${machine.cpu(0).insnsExecuted} executed, R0 ${machine.cpu(0).readReg(0)}`);
  }
  return all;
}

const CALLS: Insn[] = [
  ...insn('mov64_imm', { dst: 6, imm: 3 }),
  ...insn('mov64_reg', { dst: 1, src: 6 }),
  ...insn('call_local', { imm: 3 }),
  ...insn('sub64_imm', { dst: 6, imm: 1 }),
  ...insn('jne64_imm', { dst: 6, imm: 0, off: -4 }),
  ...EXIT,
  // R0 = R1 as deep as it goes: a function that calls itself R1 times.
  ...insn('mov64_reg', { dst: 0, src: 1 }),
  ...insn('jeq64_imm', { dst: 1, imm: 0, off: 3 }),
  ...insn('sub64_imm', { dst: 1, imm: 1 }),
  ...insn('call_local', { imm: -4 }),
  ...insn('add64_imm', { imm: 1 }),
  ...EXIT,
];

/** Calls a function that calls another in each round: they compute only. */
const SMALL: Insn[] = [
  ...insn('mov64_imm', { dst: 6, imm: 6 }),
  ...insn('mov64_reg', { dst: 1, src: 6 }),
  ...insn('call_local', { imm: 4 }),
  ...insn('sub64_imm', { dst: 6, imm: 1 }),
  ...insn('jne64_imm', { dst: 6, imm: 0, off: -4 }),
  ...insn('mov64_imm', { dst: 0, imm: 0 }),
  ...EXIT,
  ...insn('add64_imm', { dst: 1, imm: 5 }),
  ...insn('call_local', { imm: 1 }),
  ...EXIT,
  ...insn('mov64_imm', { dst: 0, imm: 7 }),
  ...insn('jset64_imm', { dst: 1, imm: 1, off: 1 }),
  ...EXIT,
  ...insn('mov64_reg', { dst: 0, src: 1 }),
  ...EXIT,
];

/** From slot 0 on, where it also jumps back to. */
const BACK_TO_0: Insn[] = [
  ...insn('add64_imm', { dst: 1, imm: 1 }),
  ...insn('mov64_reg', { dst: 0, src: 1 }),
  ...insn('jlt64_imm', { dst: 1, imm: 5, off: -3 }),
  ...EXIT,
];

describe('stops are those of the reference engine', () => {
  test.each<[string, Insn[], number[]]>([
    ['behind a call', CALLS, [3]],
    ['at a call', CALLS, [2, 9]],
    ['at the start of a function that calls itself', CALLS, [6]],
    ['behind a call amid such a function', CALLS, [10]],
    ['in a small function, which is written where it is called', SMALL, [8]],
    ['in one that such a function calls', SMALL, [10]],
    ['in one of two branches of it', SMALL, [13]],
    ['at its end and behind its call', SMALL, [4, 9, 14]],
    ['at an exit', CALLS, [5, 11]],
    ['at the first instruction, which a loop leads back to', BACK_TO_0, [0]],
    ['at all of them', BACK_TO_0, [0, 1, 2, 3]],
    ['at a loop head', loop(5, adds(3)), [2]],
    ['amid a long run of instructions', loop(5, adds(100)), [2 + 57]],
    ['at the borders of what one test covers', loop(3, adds(100)), [2 + MAX_STRETCH - 1, 2 + MAX_STRETCH]],
    ['at a fault', [...adds(3), ...insn('ldxdw', { dst: 0, src: 1 }), ...EXIT], [3]],
  ])('%s', (_, slots, breakpoints) => {
    const want = stops(reference, slots, ...breakpoints);
    expect(want.length).toBeGreaterThan(1);
    expect(stops(wasm, slots, ...breakpoints)).toEqual(want);
  });

  test('`resume` false stops at the first instruction as well', () => {
    const { machine } = ready(BACK_TO_0, 0);
    expect(go(machine, { resume: false })).toBe('breakpoint main 0 0');
    expect(go(machine, { resume: false })).toBe('breakpoint main 0 0');
    expect(go(machine)).toBe('breakpoint main 0 0');
    expect(machine.cpu(0).insnsExecuted).toBe(3n);
  });

  test('breakpoints come, go and are not obeyed, between runs', () => {
    const { machine, prog } = ready(loop(1_000_000, adds(3)));
    expect(go(machine, { budget: 1000 })).toMatch(/^budget/);
    prog.breakpoints.set(3, 2);
    expect(go(machine)).toBe('breakpoint main 3 0');
    prog.breakpoints.set(3, 0);
    prog.breakpoints.set(5, 1);
    expect(go(machine)).toBe('breakpoint main 5 0');
    expect(wasm.run(machine, 0, { ...ALL, budget: 1000, breakpoints: false })).toEqual({ kind: 'budget' });
    prog.breakpoints.set(5, 0);
    expect(go(machine)).toMatch(/^exit/);
    expect(machine.cpu(0).insnsExecuted).toBe(5_000_003n);
  });

  test('a breakpoint that is passed is judged at its place, with registers and frames as they are there', () => {
    const judged = [reference, wasm].map((engine) => {
      const { machine } = ready(CALLS, 3, 6, 10);
      const cpu = machine.cpu(0);
      const seen: string[] = [];
      const passes = (prog: ExecProg, slot: number): boolean => {
        const registers = Array.from({ length: 11 }, (_, n) => cpu.readReg(n));
        const frames = cpu.frames().map(({ pc }) => pc);
        seen.push(`${prog.name} ${slot} ${cpu.pc} ${frames} ${registers}`);
        return slot !== 6 || cpu.readReg(1) !== 2n || cpu.depth !== 2;
      };
      for (let last = ''; !last.startsWith('exit') && seen.length < 100; seen.push(last))
        last = go(machine, { passes }, engine);
      return seen;
    });
    expect(judged[1]).toEqual(judged[0]);
    expect(judged[0]).toHaveLength(20);
  });

  test('a tail call leads to a breakpoint in another program, and into one that is not compiled', () => {
    const machine = newMachine();
    const map = createMap(machine, {
      name: 'p',
      type: 'prog_array',
      keySize: 4,
      valueSize: 4,
      maxEntries: 2,
      flags: 0,
    });
    if (isRefusal(map)) throw new Error(map.message);
    const tail = (index: number): Insn[] => [
      ...insn('lddw_map_fd', { dst: 2, imm: map.id }),
      ...insn('mov64_imm', { dst: 3, imm: index }),
      ...insn('call_helper', { imm: 12 }),
      ...EXIT,
    ];
    const main = load(machine, tail(0), { name: 'first' });
    const second = load(machine, [...adds(20), ...tail(1)], { name: 'second' });
    const third = load(machine, [...adds(MAX_FUNCTION_OPS), ...EXIT], { name: 'third' });
    for (const [key, { id }] of [second, third].entries()) {
      map.update(new Uint8Array(Uint32Array.of(key).buffer), new Uint8Array(Uint32Array.of(id).buffer), 0n);
    }
    second.breakpoints.set(17, 1);
    third.breakpoints.set(40_000, 1);
    machine.enter(0, main, 0n);
    machine.cpu(0).writeReg(0, 0n);
    expect(go(machine)).toBe('breakpoint second 17 0');
    const { insnsExecuted } = machine.cpu(0);
    expect([insnsExecuted, machine.cpu(0).readReg(0)]).toEqual([3n + 17n, 17n]);
    expect(go(machine)).toBe('breakpoint third 40000 0');
    expect(machine.cpu(0).insnsExecuted).toBe(3n + 20n + 3n + 40_000n);
    expect(go(machine)).toMatch(/^exit/);
  });
});

describe('compiled code goes on behind a stop', () => {
  test('a breakpoint that is hit once costs some interpreted instructions', () => {
    const rounds = 2_000_000;
    const { machine } = ready([...insn('mov64_imm', { dst: 0, imm: 0 }), ...loop(rounds, adds(3))], 1);
    expect(go(machine)).toBe('breakpoint main 1 0');
    expect(go(machine)).toMatch(/^exit/);
    expect(machine.cpu(0).readReg(0)).toBe(BigInt(rounds * 3));
    expect(interpretedInsns(machine)).toBeLessThan(100);
  });

  test('breakpoints that are not reached cost next to none', () => {
    const never = [...insn('jne64_imm', { dst: 6, imm: -1, off: 1 }), ...insn('mov64_imm', { dst: 7 })];
    const { machine } = ready(loop(500_000, [...never, ...adds(3)]), 3);
    expect(go(machine)).toMatch(/^exit/);
    expect(interpretedInsns(machine)).toBeLessThan(20);
  });

  test('behind a breakpoint in a function its caller is compiled code again when it returns', () => {
    const slots = [
      ...insn('call_local', { imm: 8 }),
      ...loop(300_000, adds(3)),
      ...insn('mov64_imm', { dst: 0, imm: 1 }),
      ...EXIT,
    ];
    const { machine } = ready(slots, 9);
    expect(go(machine)).toBe('breakpoint main 9 1');
    expect(go(machine)).toMatch(/^exit/);
    expect(machine.cpu(0).insnsExecuted).toBe(1_500_006n);
    expect(interpretedInsns(machine)).toBeLessThan(100);
  });

  test('a breakpoint that is hit in each round of a long loop: most of the round is compiled', () => {
    const size = 200;
    const rounds = 3000;
    const { machine } = ready(loop(rounds, adds(size)), 2 + size / 2);
    for (let round = 0; round < rounds; round++) expect(go(machine)).toBe('breakpoint main 102 0');
    expect(go(machine)).toMatch(/^exit/);
    expect(interpretedInsns(machine)).toBeLessThan((rounds * size) / 4);
  });

  test('a breakpoint that is passed in each round leaves the rest of the round compiled', () => {
    const size = 200;
    const rounds = 3000;
    const { machine } = ready(loop(rounds, adds(size)), 2 + size / 2);
    let judged = 0;
    expect(go(machine, { passes: () => ++judged > 0 })).toMatch(/^exit/);
    expect(judged).toBe(rounds);
    expect(interpretedInsns(machine)).toBeLessThan((rounds * size) / 4);
  });

  test('after a pause and single steps', () => {
    const { machine } = ready(loop(400_000, adds(3)));
    go(machine, { budget: 1001 });
    for (let step = 0; step < 7; step++) go(machine, { budget: 1 });
    machine.cpu(0).requestPause();
    expect(go(machine)).toMatch(/^pause/);
    expect(go(machine)).toMatch(/^exit/);
    expect(machine.cpu(0).insnsExecuted).toBe(2_000_003n);
    expect(interpretedInsns(machine)).toBeLessThan(100);
  });
});

describe('a pause that is asked for while code runs', () => {
  test('by a helper is seen behind its call', () => {
    const { machine } = ready(loop(1_000_000, insn('call_helper', { imm: 5 })));
    const { clock } = machine;
    const now = clock.nowNs.bind(clock);
    let calls = 0;
    vi.spyOn(clock, 'nowNs').mockImplementation((executed) => {
      if (++calls === 5000) machine.cpu(0).requestPause();
      return now(executed);
    });
    expect(go(machine)).toMatch(/^pause/);
    expect(calls).toBe(5000);
  });

  test('at a breakpoint that is passed ends the run before compiled code is entered again', () => {
    const { machine } = ready(loop(1_000_000, adds(3)), 3);
    let judged = 0;
    const passes = (): boolean => {
      if (++judged === 100) machine.cpu(0).requestPause();
      return true;
    };
    expect(go(machine, { passes })).toMatch(/^pause/);
    expect(judged).toBe(100);
    expect(go(machine, { passes })).toMatch(/^exit/);
    expect(judged).toBe(1_000_000);
  });
});

test('the module is the same whether breakpoints are set or not, and after they were hit', () => {
  const { machine, prog } = ready(loop(50, adds(40)), 20);
  const before = wasmImage(machine, prog);
  go(machine);
  prog.breakpoints.set(20, 0);
  prog.breakpoints.set(41, 3);
  go(machine);
  expect(wasmImage(machine, prog)).toEqual(before);
});

test('programs that are unloaded give back the memory of their breakpoints; those that stay keep stopping', () => {
  const machine = newMachine();
  const first = load(machine, loop(3, adds(5)));
  first.breakpoints.set(4, 1);
  const places = new Set<number | undefined>();
  for (let i = 0; i < 10; i++) {
    const other = load(machine, loop(3, adds(500)));
    machine.enter(0, other, 0n);
    expect(go(machine)).toMatch(/^exit/);
    const image = wasmImage(machine, other);
    places.add('program' in image ? image.program.flagsAt : undefined);
    machine.progs.delete(other.id);
    machine.enter(0, first, 0n);
    expect(go(machine)).toBe('breakpoint main 4 0');
  }
  expect(places.size).toBeLessThan(4);
});
