import { describe, expect, test } from 'vitest';
import type { Insn } from '#core/isa/insn.ts';
import { createMap, isRefusal } from '#core/maps/create.ts';
import type { Fault } from '#core/vm/fault.ts';
import type { Machine } from '#core/vm/machine.ts';
import type { BpfMap } from '#core/vm/map.ts';
import type { Subprog } from '#core/vm/program.ts';
import { underTest } from '../engines.ts';
import { EXIT, go, insn, lddw, load, newMachine, runSlots } from './build.ts';

const mov = (dst: number, imm: number): Insn[] => insn('mov64_imm', { dst, imm });
const limits = { budget: Number.POSITIVE_INFINITY, breakpoints: false, resume: false };

function faultOf(ran: { stop: { kind: string } }): Fault {
  const stop = ran.stop as { kind: string; fault?: Fault };
  if (stop.fault === undefined) throw new Error(`expected a fault, got ${stop.kind}`);
  return stop.fault;
}

/** A function that calls itself r1 times: r0 = depth reached. */
const RECURSE = [
  ...insn('mov64_reg', { dst: 0, src: 1 }),
  ...insn('jeq64_imm', { dst: 1, imm: 0, off: 2 }),
  ...insn('sub64_imm', { dst: 1, imm: 1 }),
  ...insn('call_local', { imm: -4 }),
  ...EXIT,
];

describe('jumps', () => {
  test.each([
    ['ja forwards', [...mov(0, 1), ...insn('ja', { off: 1 }), ...mov(0, 2), ...EXIT], 1n],
    ['jal forwards', [...mov(0, 1), ...insn('jal', { imm: 1 }), ...mov(0, 2), ...EXIT], 1n],
    ['ja 0 goes on', [...mov(0, 1), ...insn('ja', { off: 0 }), ...EXIT], 1n],
    [
      'backwards, five times',
      [
        ...mov(0, 0),
        ...insn('add64_imm', { dst: 0, imm: 1 }),
        ...insn('jne64_imm', { dst: 0, imm: 5, off: -2 }),
        ...EXIT,
      ],
      5n,
    ],
  ])('%s', (_, slots, r0) => {
    const ran = runSlots(slots);
    expect(ran.stop.kind).toBe('exit');
    expect(ran.r0).toBe(r0);
  });

  test.each<[string, Insn[], number, string]>([
    [
      'past the end',
      mov(0, 1),
      0,
      'the program ran past its last instruction (slot 0); every path must end with exit',
    ],
    ['an empty program', [], 0, 'the program is empty'],
    ['a jump before the start', insn('ja', { off: -2 }), 0, 'slot -1 is outside the program (0 … 0)'],
    [
      'a jump behind the end',
      [...insn('ja', { off: 7 }), ...EXIT],
      0,
      'slot 8 is outside the program (0 … 1)',
    ],
    [
      'a branch behind the end, taken',
      [...mov(0, 1), ...insn('jne64_imm', { dst: 0, imm: 0, off: 7 }), ...EXIT],
      1,
      'slot 9 is outside the program (0 … 2)',
    ],
    [
      'a jump into a wide instruction',
      [...insn('ja', { off: 1 }), ...lddw(0, 1n), ...EXIT],
      2,
      'slot 2 is the second half of a wide instruction',
    ],
    [
      'half a wide instruction',
      lddw(0, 1n).slice(0, 1),
      0,
      'the second half of this wide instruction is missing',
    ],
    [
      'an unknown opcode',
      [{ opcode: 0xff, dst: 0, src: 0, off: 0, imm: 0 }],
      0,
      'unknown opcode ff, or one of its reserved fields is not 0',
    ],
  ])('%s is a bad_pc fault', (_, slots, pc, message) => {
    const fault = faultOf(runSlots(slots));
    expect(fault).toMatchObject({ kind: 'bad_pc', pc, xlatedPc: pc, message, address: undefined, size: 0 });
  });

  test('a branch behind the end that is not taken is no fault', () => {
    const ran = runSlots([...mov(0, 1), ...insn('jeq64_imm', { dst: 0, imm: 0, off: 7 }), ...EXIT]);
    expect(ran.stop.kind).toBe('exit');
  });

  test('may_goto falls through 8,388,608 times, then jumps; each frame has a budget of its own', () => {
    const slots = [
      ...insn('call_local', { imm: 4 }),
      ...insn('may_goto', { off: 2 }),
      ...insn('add64_imm', { dst: 0, imm: 1 }),
      ...EXIT,
      ...EXIT,
      ...mov(0, 0),
      ...insn('may_goto', { off: 2 }),
      ...insn('add64_imm', { dst: 0, imm: 1 }),
      ...insn('ja', { off: -3 }),
      ...EXIT,
    ];
    const machine = newMachine();
    machine.enter(0, load(machine, slots), 0n);
    expect(go(machine).r0).toBe(8_388_608n + 1n);
  });

  test('AX is a register like the others, for rewritten programs', () => {
    const slots = [
      ...mov(11, 40),
      ...insn('add64_imm', { dst: 11, imm: 2 }),
      ...insn('mov64_reg', { dst: 0, src: 11 }),
    ];
    expect(runSlots([...slots, ...EXIT]).r0).toBe(42n);
  });
});

describe('calls of program-local functions', () => {
  test('R6 … R9 are kept, R0 comes back, R1 … R5 go in', () => {
    const slots = [
      ...[6, 7, 8, 9].flatMap((reg) => mov(reg, reg * 11)),
      ...[1, 2, 3, 4, 5].flatMap((reg) => mov(reg, reg)),
      ...insn('call_local', { imm: 5 }),
      ...[6, 7, 8, 9].flatMap((reg) => insn('add64_reg', { dst: 0, src: reg })),
      ...EXIT,
      ...mov(0, 0),
      ...[1, 2, 3, 4, 5].flatMap((reg) => insn('add64_reg', { dst: 0, src: reg })),
      ...[6, 7, 8, 9].flatMap((reg) => mov(reg, -1)),
      ...EXIT,
    ];
    expect(runSlots(slots).r0).toBe(15n + 11n * 30n);
  });

  test('each call has 512 bytes of its own, zeroed', () => {
    const slots = [
      ...insn('stdw', { dst: 10, off: -8, imm: 5 }),
      ...insn('call_local', { imm: 3 }),
      ...insn('ldxdw', { dst: 1, src: 10, off: -8 }),
      ...insn('add64_reg', { dst: 0, src: 1 }),
      ...EXIT,
      ...insn('ldxdw', { dst: 0, src: 10, off: -8 }),
      ...insn('stdw', { dst: 10, off: -8, imm: 9 }),
      ...EXIT,
    ];
    expect(runSlots(slots).r0).toBe(5n);
  });

  test("a function may use its caller's stack through a pointer", () => {
    const slots = [
      ...insn('mov64_reg', { dst: 1, src: 10 }),
      ...insn('call_local', { imm: 2 }),
      ...insn('ldxdw', { dst: 0, src: 10, off: -16 }),
      ...EXIT,
      ...insn('stdw', { dst: 1, off: -16, imm: 77 }),
      ...EXIT,
    ];
    expect(runSlots(slots).r0).toBe(77n);
  });

  test('a pointer into a frame that has returned faults', () => {
    const slots = [
      ...insn('call_local', { imm: 2 }),
      ...insn('ldxdw', { dst: 0, src: 0, off: -8 }),
      ...EXIT,
      ...insn('stdw', { dst: 10, off: -8, imm: 1 }),
      ...insn('mov64_reg', { dst: 0, src: 10 }),
      ...EXIT,
    ];
    expect(faultOf(runSlots(slots)).message).toContain(
      'the function that owned this stack frame has returned',
    );
  });

  test('eight frames are the most', () => {
    const subprogs: Subprog[] = [
      { name: 'main', start: 0, end: 2, stackDepth: 0 },
      { name: 'recurse', start: 2, end: 7, stackDepth: 0 },
    ];
    const slots = [...insn('call_local', { imm: 1 }), ...EXIT, ...RECURSE];
    expect(runSlots(slots, { r1: 6n, subprogs }).stop.kind).toBe('exit');
    const ran = runSlots(slots, { r1: 7n, subprogs });
    expect(faultOf(ran)).toMatchObject({
      kind: 'stack_overflow',
      pc: 5,
      message: 'call of recurse: this would be stack frame 9; a call chain can have at most 8',
    });
    expect(ran.machine.cpu(0).depth).toBe(7);
  });

  test('frames() shows the chain, innermost first', () => {
    const machine = newMachine();
    const subprogs: Subprog[] = [
      { name: 'main', start: 0, end: 3, stackDepth: 0 },
      { name: 'inner', start: 3, end: 5, stackDepth: 0 },
    ];
    const slots = [...mov(6, 66), ...insn('call_local', { imm: 1 }), ...EXIT, ...mov(6, 7), ...EXIT];
    machine.enter(0, load(machine, slots, { subprogs }), 0n);
    go(machine, 3);
    const [inner, main] = machine.cpu(0).frames();
    expect(inner).toMatchObject({ index: 1, pc: 4 });
    expect(main).toMatchObject({ index: 0, pc: 1 });
    expect([inner?.subprog.name, main?.subprog.name]).toEqual(['inner', 'main']);
    expect([inner?.reg(6), main?.reg(6), main?.reg(0)]).toEqual([7n, 66n, undefined]);
    expect([inner?.reg(10), main?.reg(10)]).toEqual([inner?.fp, main?.fp]);
    expect(machine.space.describe((main?.fp ?? 0n) - 8n)).toBe('stack of main: fp - 8');
    expect(machine.space.describe((inner?.fp ?? 0n) - 8n)).toBe('stack of inner: fp - 8');
  });

  test('which registers have a value follows calls', () => {
    const machine = newMachine();
    const slots = [
      ...mov(6, 1),
      ...mov(2, 1),
      ...insn('call_local', { imm: 1 }),
      ...EXIT,
      ...mov(0, 1),
      ...EXIT,
    ];
    machine.enter(0, load(machine, slots), 5n);
    const bits = (): string => machine.cpu(0).regInitialised.toString(2).padStart(11, '0');
    expect(bits()).toBe('10000000010');
    go(machine, 3);
    expect(bits()).toBe('10000000110');
    go(machine, 2);
    expect(bits()).toBe('10001000001');
  });
});

describe('calls that cannot be made', () => {
  test.each<[string, Insn[], string]>([
    [
      'a helper that is not simulated',
      insn('call_helper', { imm: 14 }),
      'call 14: the helper bpf_get_current_pid_tgid (14) is not simulated yet',
    ],
    [
      'a number without helper',
      insn('call_helper', { imm: 9999 }),
      'call 9999: no helper has the number 9999',
    ],
    [
      'a kernel function',
      insn('call_kfunc', { imm: 42 }),
      'call of the kernel function with BTF id 42: kernel functions (kfuncs) are not simulated yet',
    ],
    [
      'a call by register',
      insn('callx', { dst: 3 }),
      'callx r3: Linux does not call functions by register; call a function or a helper by name',
    ],
    [
      'a kernel variable',
      insn('lddw_btf_id', { dst: 1, imm: 7 }),
      'address of the kernel variable with BTF id 7: kernel variables are not simulated yet',
    ],
  ])('%s is a bad_helper fault', (_, slots, message) => {
    expect(faultOf(runSlots([...slots, ...EXIT]))).toMatchObject({ kind: 'bad_helper', pc: 0, message });
  });

  test('a register without a value that the loader found is an uninitialised fault', () => {
    const slots = [...mov(1, 1), ...insn('mov64_reg', { dst: 0, src: 3 }), ...EXIT];
    const ran = runSlots(slots, { uninitialisedReads: new Map([[1, 3]]) });
    expect(faultOf(ran)).toMatchObject({
      kind: 'uninitialised',
      pc: 1,
      message: 'R3 !read_ok: r3 has no value here',
    });
    expect(ran.executed).toBe(1n);
  });

  test('the address of a function is a number outside all data', () => {
    const slots = [...insn('lddw_func', { dst: 0, imm: 2 }), ...EXIT, ...EXIT];
    const ran = runSlots(slots);
    expect(ran.r0 >> 31n).toBe(0x1_ffffffffn);
    expect(
      faultOf(runSlots([...slots.slice(0, 2), ...insn('ldxb', { dst: 0, src: 0 }), ...EXIT])).message,
    ).toBe(
      `read of 1 byte at 0x${ran.r0.toString(16)}: this is the address of code or an error number, not of data`,
    );
  });
});

describe('tail calls', () => {
  function progArray(machine: Machine, maxEntries: number): BpfMap {
    const def = { name: 'jumps', type: 'prog_array', keySize: 4, valueSize: 4, maxEntries, flags: 0 };
    const map = createMap(machine, def);
    if (isRefusal(map)) throw new Error(map.message);
    return map;
  }
  const u32 = (n: number): Uint8Array => new Uint8Array(Uint32Array.of(n).buffer);
  /** r0 += 1; tail call entry `index`; r0 += 100; exit — by helper number or by the rewritten instruction. */
  const chain = (map: BpfMap, index: number, how: 'tail_call' | 'call_helper' = 'call_helper'): Insn[] => [
    ...insn('add64_imm', { dst: 0, imm: 1 }),
    ...insn('lddw_map_fd', { dst: 2, imm: map.id }),
    ...mov(3, index),
    ...insn(how, { imm: 12 }),
    ...insn('add64_imm', { dst: 0, imm: 100 }),
    ...EXIT,
  ];

  test.each(['tail_call', 'call_helper'] as const)(
    'by %s: continues in the other program and does not return',
    (how) => {
      const machine = newMachine();
      const map = progArray(machine, 4);
      const target = load(machine, [...insn('add64_imm', { dst: 0, imm: 10 }), ...EXIT], { name: 'target' });
      expect(map.update(u32(2), u32(target.id), 0n)).toBe(0);
      const ran = runSlots(chain(map, 2, how), { machine });
      expect([ran.stop.kind, ran.r0, ran.executed]).toEqual(['exit', 11n, 6n]);
      expect(machine.cpu(0).prog).toBe(target);
    },
  );

  test.each([
    ['an empty entry', 1],
    ['an index out of range', 4],
    ['a negative index', -1],
  ])('%s falls through', (_, index) => {
    const machine = newMachine();
    expect(runSlots(chain(progArray(machine, 4), index), { machine }).r0).toBe(101n);
  });

  test('33 are made, the 34th falls through', () => {
    const machine = newMachine();
    const map = progArray(machine, 1);
    const prog = load(machine, chain(map, 0));
    map.update(u32(0), u32(prog.id), 0n);
    machine.enter(0, prog, 0n);
    expect(go(machine).r0).toBe(34n + 100n);
    expect(machine.cpu(0).tailCalls).toBe(33);
  });

  test('in a function it replaces that function only', () => {
    const machine = newMachine();
    const map = progArray(machine, 1);
    const target = load(machine, [...mov(0, 5), ...mov(6, 1), ...EXIT], { name: 'target' });
    map.update(u32(0), u32(target.id), 0n);
    const main = [
      ...mov(6, 60),
      ...insn('call_local', { imm: 2 }),
      ...insn('add64_reg', { dst: 0, src: 6 }),
      ...EXIT,
    ];
    expect(runSlots([...main, ...chain(map, 0)], { machine }).r0).toBe(65n);
  });

  test('R2 must be a program array', () => {
    const slots = [...mov(2, 5), ...insn('tail_call'), ...EXIT];
    expect(faultOf(runSlots(slots))).toMatchObject({
      kind: 'helper_argument',
      pc: 1,
      message: 'bpf_tail_call: argument 2 (prog_array_map) must be a map, is 0x5',
    });
  });
});

describe('stopping and going on', () => {
  const slots = [
    ...insn('call_local', { imm: 3 }),
    ...lddw(6, 1n),
    ...EXIT,
    ...mov(0, 0),
    ...insn('add64_imm', { dst: 0, imm: 1 }),
    ...insn('jne64_imm', { dst: 0, imm: 3, off: -2 }),
    ...EXIT,
  ];
  const trace = (step: number): string[] => {
    const machine = newMachine();
    machine.enter(0, load(machine, slots), 0n);
    const cpu = machine.cpu(0);
    const seen: string[] = [];
    for (;;) {
      const ran = go(machine, step);
      seen.push(`${cpu.insnsExecuted} ${cpu.depth} ${cpu.pc} r0=${ran.r0}`);
      if (ran.stop.kind !== 'budget') return [...seen, ran.stop.kind];
    }
  };

  test('a budget of one executes exactly one instruction, a wide one as one', () => {
    expect(trace(1)).toEqual([
      '1 1 4 r0=0',
      '2 1 5 r0=0',
      '3 1 6 r0=1',
      '4 1 5 r0=1',
      '5 1 6 r0=2',
      '6 1 5 r0=2',
      '7 1 6 r0=3',
      '8 1 7 r0=3',
      '9 0 1 r0=3',
      '10 0 3 r0=3',
      '11 0 3 r0=3',
      'exit',
    ]);
  });

  test.each([2, 3, 5, 1000])('the same states in steps of %d', (step) => {
    const single = trace(1);
    const every = trace(step);
    expect(every.at(-1)).toBe('exit');
    expect(every.at(-2)).toBe(single.at(-2));
    for (const state of every) expect(single).toContain(state);
  });

  test('a budget of 0 executes nothing', () => {
    const machine = newMachine();
    machine.enter(0, load(machine, slots), 0n);
    expect(go(machine, 0)).toMatchObject({ stop: { kind: 'budget' }, executed: 0n });
  });

  test('a budget that ends with exit is an exit', () => {
    const machine = newMachine();
    machine.enter(0, load(machine, [...mov(0, 1), ...EXIT]), 0n);
    expect(go(machine, 2).stop.kind).toBe('exit');
  });

  test('a budget over several chunks is exact', () => {
    const machine = newMachine();
    machine.enter(0, load(machine, insn('ja', { off: -1 })), 0n);
    expect(go(machine, 100_001)).toMatchObject({ stop: { kind: 'budget' }, executed: 100_001n });
  });

  test('breakpoints stop before the instruction, and not at once when resuming', () => {
    const machine = newMachine();
    const prog = load(machine, [
      ...mov(0, 0),
      ...insn('add64_imm', { dst: 0, imm: 1 }),
      ...insn('ja', { off: -2 }),
    ]);
    prog.breakpoints.set(1, 1);
    machine.enter(0, prog, 0n);
    const on = { ...limits, breakpoints: true };
    expect(underTest.engine.run(machine, 0, on).kind).toBe('breakpoint');
    expect([machine.cpu(0).pc, machine.cpu(0).insnsExecuted]).toEqual([1, 1n]);
    expect(underTest.engine.run(machine, 0, on).kind).toBe('breakpoint');
    expect(machine.cpu(0).insnsExecuted).toBe(1n);
    expect(underTest.engine.run(machine, 0, { ...on, resume: true }).kind).toBe('breakpoint');
    expect([machine.cpu(0).insnsExecuted, machine.cpu(0).readReg(0)]).toEqual([3n, 1n]);
    expect(underTest.engine.run(machine, 0, { ...limits, budget: 10, resume: true }).kind).toBe('budget');
  });

  test.each([true, false])('a pause asked for is answered once (shared memory: %s)', (shared) => {
    const machine = newMachine({ shared });
    machine.enter(0, load(machine, insn('ja', { off: -1 })), 0n);
    machine.cpu(0).requestPause();
    expect(underTest.engine.run(machine, 0, limits).kind).toBe('pause');
    expect(underTest.engine.run(machine, 0, { ...limits, budget: 10 }).kind).toBe('budget');
    machine.cpu(0).requestPause();
    machine.cpu(0).clearPause();
    expect(underTest.engine.run(machine, 0, { ...limits, budget: 10 }).kind).toBe('budget');
  });

  test('a fault changes nothing and can be tried again after an edit', () => {
    const machine = newMachine();
    machine.enter(0, load(machine, [...insn('ldxdw', { dst: 0, src: 3, off: -8 }), ...EXIT]), 0n);
    expect(go(machine).stop.kind).toBe('fault');
    expect([machine.cpu(0).pc, machine.cpu(0).insnsExecuted]).toEqual([0, 0n]);
    machine.cpu(0).writeReg(3, machine.cpu(0).readReg(10));
    expect(go(machine)).toMatchObject({ stop: { kind: 'exit' }, executed: 2n });
  });

  test('entering again starts from a clean state', () => {
    const machine = newMachine();
    const prog = load(machine, [
      ...insn('ldxdw', { dst: 0, src: 10, off: -8 }),
      ...insn('stdw', { dst: 10, off: -8, imm: 3 }),
      ...EXIT,
    ]);
    for (const time of [1, 2]) {
      machine.enter(0, prog, 4n, 5n);
      const cpu = machine.cpu(0);
      expect([cpu.readReg(1), cpu.readReg(2), cpu.readReg(3), cpu.insnsExecuted], `run ${time}`).toEqual([
        4n,
        5n,
        0n,
        0n,
      ]);
      expect(go(machine).r0).toBe(0n);
    }
  });
});
