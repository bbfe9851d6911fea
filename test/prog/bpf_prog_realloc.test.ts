import { expect, test } from 'vitest';
import { rawBpfProgFree } from '#core/prog/bpf-prog-free.ts';
import { bpfProgRealloc } from '#core/prog/bpf-prog-realloc.ts';
import { insnsi } from '#core/prog/code.ts';
import { countRun, readStats } from '#core/prog/stats.ts';
import { EXIT, R0_0, type Slot } from './build.ts';
import { account, machineOf, shellOf } from './shells.ts';

const NOPS = (n: number): Slot[] => [...Array<Slot>(n - 1).fill(R0_0), EXIT];
/** Most instructions of a one-page program. */
const PAGE_OF = (4096 - 80) / 8;

test.each([
  ['fewer instructions', 10],
  ['as many', 100],
  ['as many as the page holds', PAGE_OF],
])('%s: the same object', (_, n) => {
  const machine = machineOf();
  const prog = shellOf(machine, NOPS(100));
  const before = account(machine);
  expect(bpfProgRealloc(machine, prog, n)).toBe(prog);
  expect(account(machine)).toEqual(before);
});

test('more pages: contents are copied, what hangs on the object moves, the old shell alone is freed', () => {
  const machine = machineOf();
  const empty = account(machine);
  const old = shellOf(machine, NOPS(100));
  countRun(machine, old, 0, 5n, 5n);
  const { aux, stats, active } = old;
  const bytes = machine.memory.copy(insnsi(old), 800);
  const prog = bpfProgRealloc(machine, old, PAGE_OF + 1);
  expect(prog).not.toBe(old);
  expect(prog).toMatchObject({ pages: 2, stats, active, freed: false });
  expect(prog.aux).toBe(aux);
  expect(aux?.prog).toBe(prog);
  expect(machine.memory.copy(insnsi(prog), 800)).toEqual(bytes);
  expect(readStats(machine, prog)[0]?.cnt).toBe(1n);
  expect(old).toMatchObject({ aux: undefined, stats: 0, active: 0, freed: true });
  expect(() => rawBpfProgFree(machine, old)).toThrow('freed before');
  expect(machine.progAccount).toEqual({ pages: 2, objects: 3 });
  rawBpfProgFree(machine, prog);
  expect(account(machine)).toEqual(empty);
});

test('without memory for it the old object stays whole', () => {
  const machine = machineOf();
  const empty = account(machine);
  const prog = shellOf(machine, NOPS(100));
  const held = account(machine);
  machine.memory.failAfter(0);
  expect(() => bpfProgRealloc(machine, prog, 10_000)).toThrow('told to fail');
  expect(account(machine)).toEqual(held);
  expect(prog.freed).toBe(false);
  expect(prog.aux?.prog).toBe(prog);
  rawBpfProgFree(machine, prog);
  expect(account(machine)).toEqual(empty);
});
