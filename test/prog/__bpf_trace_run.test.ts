import { expect, test } from 'vitest';
import { reference } from '#core/interp/reference.ts';
import { bpfProgEnterRecur, bpfProgExitRecur } from '#core/prog/bpf-prog-enter-recur.ts';
import { bpfTraceRun } from '#core/prog/bpf-trace-run.ts';
import { type BpfProg, bpfProgFree, bpfProgLoad } from '#core/prog/load.ts';
import { readStats } from '#core/prog/stats.ts';
import { runProgram } from '#core/session/run.ts';
import type { Machine } from '#core/vm/machine.ts';
import { attrOf, EXIT, R0_0, type Slot } from './build.ts';
import { machineOf } from './shells.ts';

/** bpf_trace_printk("a"), twice. */
const PRINT: readonly Slot[] = [
  [0xb7, 1, 0, 0, 0x61],
  [0x7b, 10, 1, -8],
  ...Array.from({ length: 2 }, (): Slot[] => [
    [0xbf, 1, 10],
    [0x07, 1, 0, 0, -8],
    [0xb7, 2, 0, 0, 2],
    [0x85, 0, 0, 0, 6],
  ]).flat(),
  EXIT,
];

function load(machine: Machine, code: readonly Slot[], attachTo?: string, type = 'raw_tracepoint' as const) {
  const loaded = bpfProgLoad(machine, {
    ...attrOf(type, code),
    ...(attachTo === undefined ? {} : { attachTo }),
  });
  if (!loaded.ok) throw new Error(loaded.refusal.message);
  return loaded.prog;
}

const counts = (machine: Machine, prog: BpfProg) =>
  readStats(machine, prog).map(({ cnt, misses }) => [Number(cnt), Number(misses)]);
const run = (machine: Machine, prog: BpfProg, cpu = 0, repeat = 1) =>
  runProgram(machine, prog, reference, { data: new Uint8Array() }, { cpu, repeat });

test('a program on bpf_trace_printk that prints meets itself: each nested entry is a miss', () => {
  const machine = machineOf({}, 2);
  const prog = load(machine, PRINT, 'bpf_trace_printk');
  expect(run(machine, prog)).toMatchObject({ r0: 1n, output: ['a', 'a'] });
  expect(counts(machine, prog)).toEqual([
    [1, 2],
    [0, 0],
  ]);
  run(machine, prog, 1, 3);
  expect(counts(machine, prog)).toEqual([
    [1, 2],
    [3, 6],
  ]);
});

test('misses count while statistics are off, as in the kernel', () => {
  const machine = machineOf();
  machine.statsEnabled = false;
  const prog = load(machine, PRINT, 'bpf_trace_printk');
  run(machine, prog);
  expect(counts(machine, prog)).toEqual([[0, 2]]);
});

test.each([
  ['attached to another tracepoint', 'sched_switch'],
  ['attached to none', undefined],
])('a program that is %s is not entered by what it prints', (_, attachTo) => {
  const machine = machineOf();
  const prog = load(machine, PRINT, attachTo);
  expect(run(machine, prog).output).toEqual(['a', 'a']);
  expect(counts(machine, prog)).toEqual([[1, 0]]);
});

test('programs of other types are entered without the guard', () => {
  const machine = machineOf();
  const loaded = bpfProgLoad(machine, { ...attrOf('xdp', PRINT), attachTo: 'bpf_trace_printk' });
  if (!loaded.ok) throw new Error(loaded.refusal.message);
  const leave = bpfTraceRun(machine, loaded.prog, 0);
  expect(bpfProgEnterRecur(machine, loaded.prog, 0)).toBe(true);
  leave();
  bpfProgExitRecur(machine, loaded.prog, 0);
  run(machine, loaded.prog);
  expect(counts(machine, loaded.prog)).toEqual([[1, 0]]);
});

test('a format that is refused fires nothing', () => {
  const machine = machineOf();
  const unterminated = PRINT.map(
    (slot): Slot => (slot[0] === 0xb7 && slot[1] === 2 ? [0xb7, 2, 0, 0, 1] : slot),
  );
  const prog = load(machine, unterminated, 'bpf_trace_printk');
  expect(run(machine, prog)).toMatchObject({ retval: 0xffff_ffea, output: [] });
  expect(counts(machine, prog)).toEqual([[1, 0]]);
});

test('a run that faults leaves the program: the next one is let in, and nothing stays attached', () => {
  const machine = machineOf();
  const prog = load(machine, [[0xb7, 2], [0x79, 0, 2], EXIT], 'bpf_trace_printk');
  expect(run(machine, prog).fault?.kind).toBe('out_of_bounds');
  expect(run(machine, prog).fault?.kind).toBe('out_of_bounds');
  machine.tracepoints.fire('bpf_trace_printk', 0);
  expect(counts(machine, prog)).toEqual([[2, 0]]);
});

test('a CPU that is in the program cannot begin another run of it; another CPU can', () => {
  const machine = machineOf({}, 2);
  const prog = load(machine, [R0_0, EXIT], 'sched_switch');
  const leave = bpfTraceRun(machine, prog, 0);
  expect(() => bpfTraceRun(machine, prog, 0)).toThrow('CPU 0 is in prog already');
  expect(counts(machine, prog)).toEqual([
    [0, 1],
    [0, 0],
  ]);
  machine.tracepoints.fire('sched_switch', 1);
  machine.tracepoints.fire('sched_switch', 0);
  expect(counts(machine, prog)).toEqual([
    [0, 2],
    [0, 0],
  ]);
  const other = bpfTraceRun(machine, prog, 1);
  other();
  leave();
  leave();
  bpfTraceRun(machine, prog, 0)();
  expect(counts(machine, prog)).toEqual([
    [0, 2],
    [0, 0],
  ]);
});

test('a program that is freed while it runs can still be left', () => {
  const machine = machineOf();
  const prog = load(machine, [R0_0, EXIT], 'sched_switch');
  const leave = bpfTraceRun(machine, prog, 0);
  bpfProgFree(machine, prog);
  expect(leave).not.toThrow();
  expect(() => machine.tracepoints.fire('sched_switch', 0)).not.toThrow();
});
