import { expect, test } from 'vitest';
import { bpfProgEnterRecur, bpfProgExitRecur } from '#core/prog/bpf-prog-enter-recur.ts';
import { rawBpfProgFree } from '#core/prog/bpf-prog-free.ts';
import { readStats } from '#core/prog/stats.ts';
import { EXIT, R0_0 } from './build.ts';
import { machineOf, shellOf } from './shells.ts';

test('a CPU that is in the program is refused and counted as a miss; others are let in', () => {
  const machine = machineOf({}, 2);
  const prog = shellOf(machine, [R0_0, EXIT]);
  expect(bpfProgEnterRecur(machine, prog, 0)).toBe(true);
  expect(bpfProgEnterRecur(machine, prog, 0)).toBe(false);
  expect(bpfProgEnterRecur(machine, prog, 0)).toBe(false);
  expect(bpfProgEnterRecur(machine, prog, 1)).toBe(true);
  expect(readStats(machine, prog).map(({ cnt, misses }) => ({ cnt, misses }))).toEqual([
    { cnt: 0n, misses: 2n },
    { cnt: 0n, misses: 0n },
  ]);
  for (let i = 0; i < 3; i++) bpfProgExitRecur(machine, prog, 0);
  expect(bpfProgEnterRecur(machine, prog, 0)).toBe(true);
  expect(readStats(machine, prog)[0]?.misses).toBe(2n);
});

test('a refused entry that has ended does not open the program', () => {
  const machine = machineOf();
  const prog = shellOf(machine, [R0_0, EXIT]);
  bpfProgEnterRecur(machine, prog, 0);
  bpfProgEnterRecur(machine, prog, 0);
  bpfProgExitRecur(machine, prog, 0);
  expect(bpfProgEnterRecur(machine, prog, 0)).toBe(false);
});

test('a CPU that is not there, a program that is gone', () => {
  const machine = machineOf();
  const prog = shellOf(machine, [R0_0, EXIT]);
  expect(() => bpfProgEnterRecur(machine, prog, 1)).toThrow('CPU 1: the machine has 1');
  rawBpfProgFree(machine, prog);
  expect(() => bpfProgEnterRecur(machine, prog, 0)).toThrow('no entry counters any more');
});
