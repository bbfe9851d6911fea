import { expect, test } from 'vitest';
import { prepareInput } from '#core/ctx/setup.ts';
import type { ProgType } from '#core/object/object.ts';
import { underTest } from '../engines.ts';
import { arrayMap, EXIT, R0_0, type Slot } from '../prog/build.ts';
import { type Loaded, loadSlots } from '../prog/rewrite.ts';

/** Division, lookup, packet load, may_goto, CPU number, a function that writes to the packet: all rewritten. */
const PROGRAM: Slot[] = [
  [0xbf, 6, 1],
  [0x61, 2, 6, 76],
  [0x61, 3, 6, 80],
  [0xbf, 4, 2],
  [0x07, 4, 0, 0, 8],
  [0x2d, 4, 3, 1],
  [0x72, 2, 0, 0, 9],
  [0x62, 10, 0, -4, 1],
  [0xbf, 2, 10],
  [0x07, 2, 0, 0, -4],
  [0x18, 1, 1],
  [0],
  [0x85, 0, 0, 0, 1],
  [0x15, 0, 0, 1, 0],
  [0x79, 7, 0],
  [0x85, 0, 0, 0, 8],
  [0xb7, 1, 0, 0, 100],
  [0x3f, 1, 0],
  [0xbf, 1, 6],
  [0x85, 0, 1, 0, 2],
  R0_0,
  EXIT,
  [0xbf, 6, 1],
  [0xb7, 8, 0, 0, 3],
  [0x30, 0, 0, 0, 2],
  [0x17, 8, 0, 0, 1],
  [0x15, 8, 0, 2, 0],
  [0xe5, 0, 0, 1],
  [0x05, 0, 0, -5],
  [0x20, 0, 0, 0, 5000],
  EXIT,
];
const TYPE: ProgType = 'sched_cls';

function begin(blind: boolean): Loaded & { dispose(): void } {
  const loaded = loadSlots(TYPE, PROGRAM, [arrayMap('m')], { settings: { bpfJitHarden: blind ? 2 : 0 } });
  const { machine, prog } = loaded;
  const prepared = prepareInput(machine, 0, prog, { data: new Uint8Array(60), attach: 'packet' });
  machine.enter(0, prog, prepared.r1);
  return { ...loaded, dispose: () => prepared.dispose() };
}

test.each([false, true])(
  'single steps stand where instructions as loaded begin, each once (blinded: %s)',
  (blind) => {
    const { machine, prog, dispose } = begin(blind);
    const cpu = machine.cpu(0);
    const seen: number[] = [];
    for (let steps = 1; ; steps++) {
      const stop = underTest.engine.run(machine, 0, { budget: 1, breakpoints: false, resume: true });
      expect(cpu.insnsExecuted).toBe(BigInt(steps));
      if (stop.kind === 'exit') break;
      expect(stop).toEqual({ kind: 'budget' });
      const at = prog.origIdx[cpu.pc] ?? -1;
      expect(prog.firstXlated[at], `slot ${cpu.pc}`).toBe(cpu.pc);
      seen.push(at);
    }
    dispose();
    const round = [24, 25, 26, 27, 28];
    expect(seen).toEqual([
      ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14, 15, 16, 17, 18, 19],
      ...[22, 23],
      ...[...round, ...round, 24, 25, 26],
      ...[29, 20, 21],
    ]);
  },
);

test.each([1, 2, 3, 7, 1000])('in slices of %i, the same count and end', (budget) => {
  const { machine, dispose } = begin(false);
  let stop = underTest.engine.run(machine, 0, { budget, breakpoints: false, resume: true });
  while (stop.kind === 'budget') {
    stop = underTest.engine.run(machine, 0, { budget, breakpoints: false, resume: true });
  }
  dispose();
  expect(stop).toEqual({ kind: 'exit' });
  expect(machine.cpu(0).insnsExecuted).toBe(37n);
});

test("a breakpoint on a function's first instruction stops once a call, behind what the function begins with", () => {
  const { machine, prog, dispose } = begin(false);
  const first = prog.firstXlated[22] ?? 0;
  expect(first).toBe((prog.subprogs[1]?.start ?? 0) + 2);
  prog.breakpoints.set(first, 1);
  prog.breakpoints.set(prog.firstXlated[0] ?? 0, 1);
  const go = (resume: boolean) =>
    underTest.engine.run(machine, 0, { budget: 1000, breakpoints: true, resume });
  // The packet's prologue stands in front of instruction 0: it is passed, then the breakpoint stops.
  expect(go(false)).toEqual({ kind: 'breakpoint' });
  expect(machine.cpu(0).pc).toBe(10);
  expect(go(true)).toEqual({ kind: 'breakpoint' });
  expect(machine.cpu(0).pc).toBe(first);
  expect(machine.cpu(0).insnsExecuted).toBe(19n);
  expect(go(true)).toEqual({ kind: 'exit' });
  dispose();
});

test('going on from the very start passes a breakpoint on the first instruction', () => {
  const { machine, prog, dispose } = begin(false);
  prog.breakpoints.set(prog.firstXlated[0] ?? 0, 1);
  expect(underTest.engine.run(machine, 0, { budget: 1000, breakpoints: true, resume: true })).toEqual({
    kind: 'exit',
  });
  dispose();
});
