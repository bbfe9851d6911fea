import { describe, expect, test } from 'vitest';
import { reference } from '#core/interp/reference.ts';
import { kernelFunctionImm } from '#core/isa/numbering.ts';
import { notCompiled } from '#core/session/engines.ts';
import type { Machine } from '#core/vm/machine.ts';
import { x86Sim } from '#core/x86-sim/x86-sim.ts';
import { EXIT, R0_0, type Slot } from './build.ts';
import { dumped, loadSlots, run } from './rewrite.ts';

const NO_DATA = new Uint8Array(8);
const MAY_GOTO = (off: number): Slot => [0xe5, 0, 0, off];
const GOTO = (off: number): Slot => [0x05, 0, 0, off];

const imm32 = (n: number): string => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(n);
  return bytes.toString('hex');
};
const off16 = (n: number): string => imm32(n).slice(0, 4);
const CALL = `85000000${imm32(kernelFunctionImm('arch_bpf_timed_may_goto'))}`;

/** What Linux 6.18 shows for a function whose own stack has `depth` bytes. */
const init = (depth: number): string[] => [
  `7a0a${off16(-depth - 16)}ffff0000`,
  `7a0a${off16(-depth - 8)}00000000`,
];
const rewritten = (depth: number, over: number): string[] => [
  `79ab${off16(-depth - 16)}00000000`,
  `150b${off16(over)}00000000`,
  '170b000001000000',
  '550b020000000000',
  `b70b0000${imm32(-depth - 16)}`,
  CALL,
  `7bba${off16(-depth - 16)}00000000`,
];

describe('becomes what the kernel makes of it', () => {
  test.each<[string, Slot[], string[]]>([
    [
      'after another instruction',
      [R0_0, MAY_GOTO(1), GOTO(-2), EXIT],
      [...init(0), 'b700000000000000', ...rewritten(0, 6), '0500f8ff00000000', '9500000000000000'],
    ],
    [
      'first, and jumped back to: the counter is set once',
      [MAY_GOTO(1), GOTO(-2), R0_0, EXIT],
      [...init(0), ...rewritten(0, 6), '0500f8ff00000000', 'b700000000000000', '9500000000000000'],
    ],
    [
      'a loop to the first instruction',
      [R0_0, MAY_GOTO(1), GOTO(-3), EXIT],
      [...init(0), 'b700000000000000', ...rewritten(0, 6), '0500f7ff00000000', '9500000000000000'],
    ],
    [
      'a wide instruction first',
      [[0x18, 6], [0], R0_0, MAY_GOTO(1), GOTO(-3), EXIT],
      [
        ...init(0),
        '1806000000000000',
        '0000000000000000',
        'b700000000000000',
        ...rewritten(0, 6),
        '0500f7ff00000000',
        '9500000000000000',
      ],
    ],
    [
      'in a function with 24 bytes of stack',
      [
        [0xb7, 1, 0, 0, 1],
        [0x85, 0, 1, 0, 2],
        R0_0,
        EXIT,
        [0x7b, 10, 1, -24],
        R0_0,
        MAY_GOTO(1),
        GOTO(-2),
        EXIT,
      ],
      [
        'b701000001000000',
        '8510020001000000',
        'b700000000000000',
        '9500000000000000',
        ...init(24),
        '7b1ae8ff00000000',
        'b700000000000000',
        ...rewritten(24, 6),
        '0500f8ff00000000',
        '9500000000000000',
      ],
    ],
  ])('%s', (_name, slots, xlated) => {
    expect(dumped(loadSlots('socket_filter', slots))).toEqual(xlated);
  });
});

test('the stack of each function with it is 16 bytes deeper', () => {
  const { prog } = loadSlots('raw', [
    [0x85, 0, 1, 0, 1],
    EXIT,
    [0x7b, 10, 1, -8],
    R0_0,
    MAY_GOTO(1),
    R0_0,
    EXIT,
  ]);
  expect(prog.subprogs.map((each) => each.stackDepth)).toEqual([0, 24]);
});

test('one that leads to the next instruction does nothing, and takes no stack', () => {
  const loaded = loadSlots('raw', [R0_0, MAY_GOTO(0), EXIT]);
  expect(loaded.prog.subprogs[0]?.stackDepth).toBe(0);
  expect(dumped(loaded)).toEqual(['b700000000000000', '0500000000000000', '9500000000000000']);
  expect(run(loaded, NO_DATA)).toMatchObject({ r0: 0n, insnsExecuted: 3n });
});

test('one that no path comes to takes no stack and no counter', () => {
  const loaded = loadSlots('raw', [R0_0, EXIT, MAY_GOTO(-1), GOTO(-2)]);
  expect(loaded.prog.subprogs[0]?.stackDepth).toBe(0);
  expect(dumped(loaded)).toEqual([
    'b700000000000000',
    '9500000000000000',
    '0500ffff00000000',
    '0500feff00000000',
  ]);
});

test('its counter below a full frame has machine code, as in the kernel, and is executed', () => {
  const full: Slot[] = [R0_0, [0x7b, 10, 0, -512], MAY_GOTO(2), [0x07, 0, 0, 0, 1], GOTO(-3), EXIT];
  const { machine, prog } = loadSlots('raw', full);
  expect(prog.subprogs[0]?.stackDepth).toBe(528);
  expect(notCompiled(x86Sim, machine, [prog])).toEqual([]);
  const budget = 40;
  const ends = [reference, x86Sim].map((engine) => {
    machine.enter(0, prog, 0n);
    engine.run(machine, 0, { budget, breakpoints: false, resume: true });
    const { pc, insnsExecuted } = machine.cpu(0);
    return [pc, insnsExecuted, machine.cpu(0).readReg(0)];
  });
  expect(ends[1]).toEqual(ends[0]);
  expect(ends[0]?.[2]).toBeGreaterThan(5n);
});

test('one that the kernel removes keeps no compiler from the program', () => {
  for (const slots of [
    [R0_0, MAY_GOTO(0), EXIT],
    [R0_0, EXIT, MAY_GOTO(-1), GOTO(-2)],
  ]) {
    const { machine, prog } = loadSlots('raw', slots);
    expect(notCompiled(x86Sim, machine, [prog])).toEqual([]);
  }
});

describe('in a frame that is full, the counter lies below it, as in the kernel', () => {
  test.each([496, 504, 512])('%i bytes of its own', (depth) => {
    const slots: Slot[] = [
      [0x7a, 10, 0, -depth, 7],
      R0_0,
      MAY_GOTO(3),
      [0x07, 0, 0, 0, 1],
      [0x15, 0, 0, 1, 5],
      GOTO(-4),
      [0x79, 1, 10, -depth],
      [0x0f, 0, 1],
      EXIT,
    ];
    for (const blind of [0, 2] as const) {
      const loaded = loadSlots('socket_filter', slots, [], { settings: { bpfJitHarden: blind } });
      expect(loaded.prog.subprogs[0]?.stackDepth).toBe(depth + 16);
      if (blind === 0) expect(dumped(loaded).slice(0, 2)).toEqual(init(depth));
      const { r0, fault } = run(loaded, new Uint8Array(60));
      expect({ r0, fault }).toEqual({ r0: 12n, fault: undefined });
    }
  });

  test('a program cannot reach there itself', () => {
    const slots: Slot[] = [[0x7a, 10, 0, -512, 7], R0_0, MAY_GOTO(1), [0x7a, 10, 0, -520, 1], EXIT];
    expect(run(loadSlots('raw', slots), NO_DATA).fault).toMatchObject({ kind: 'out_of_bounds', pc: 3 });
  });
});

describe('running', () => {
  // r0 counts the rounds.
  const LOOP: Slot[] = [R0_0, MAY_GOTO(2), [0x07, 0, 0, 0, 1], GOTO(-3), EXIT];

  test('the clock is asked after 65,535 rounds, and notes when the loop began', () => {
    const loaded = loadSlots('raw', LOOP);
    const { machine } = loaded;
    const begin = machine.clock.nowNs(0n);
    const { fault, insnsExecuted } = run(loaded, NO_DATA, { maxInsns: 250_000 });
    expect(fault?.kind).toBe('insn_limit');
    expect(insnsExecuted).toBe(250_000n);
    // Three instructions a round; the 65,535th question is the first that the clock answers.
    expect(u64(machine, 8n) - begin).toBe(1n + 3n * 65_534n);
    expect(u64(machine, 16n)).toBeGreaterThan(0n);
  });

  test('blinded, the same', () => {
    const plain = run(loadSlots('raw', LOOP), NO_DATA, { maxInsns: 1000 });
    const blind = run(loadSlots('raw', LOOP, [], { settings: { bpfJitHarden: 2 } }), NO_DATA, {
      maxInsns: 1000,
    });
    expect(blind.r0).toBe(plain.r0);
    expect(plain.r0).toBe(333n);
  });

  test('when a quarter of a second is over it jumps', () => {
    const { machine, prog } = loadSlots('raw', LOOP);
    machine.enter(0, prog, 0n);
    const limits = { breakpoints: false, resume: true };
    expect(reference.run(machine, 0, { budget: 2, ...limits })).toEqual({ kind: 'budget' });
    // As if the loop had gone on for long: one question left until the clock is asked.
    setU64(machine, 8n, machine.clock.nowNs(0n));
    setU64(machine, 16n, 1n);
    machine.clock.advance(249_999_000n);
    expect(reference.run(machine, 0, { budget: 6, ...limits })).toEqual({ kind: 'budget' });
    expect(u64(machine, 16n)).toBeGreaterThan(60_000n);
    setU64(machine, 16n, 1n);
    machine.clock.advance(1_000n);
    expect(reference.run(machine, 0, { budget: 100, ...limits })).toEqual({ kind: 'exit' });
    // The round in which the clock says so is still gone to its end, as in the kernel.
    expect(machine.cpu(0).readReg(0)).toBe(4n);
  });
});

/** The 8 bytes at `fp - below` of the main frame. */
function u64(machine: Machine, below: bigint): bigint {
  const bytes = machine.space.read(machine.cpu(0).readReg(10) - below, 8);
  return new DataView((bytes ?? new Uint8Array(8)).buffer).getBigUint64(0, true);
}

function setU64(machine: Machine, below: bigint, value: bigint): void {
  machine.space.write(machine.cpu(0).readReg(10) - below, new Uint8Array(new BigUint64Array([value]).buffer));
}
