import { describe, expect, test } from 'vitest';
import {
  bpfJitBlindingEnabled,
  bpfProgAllocNoStats,
  ebpfJitEnabled,
} from '#core/prog/bpf-prog-alloc-no-stats.ts';
import { DEFAULT_SETTINGS } from '#core/vm/settings.ts';
import { account, failEach, machineOf } from './shells.ts';

/** Bytes in front of the instructions. */
const HEAD = 80;

test.each([
  ['the smallest program', 1, 1],
  ['what just fits a page', (4096 - HEAD) / 8, 1],
  ['one more', (4096 - HEAD) / 8 + 1, 2],
  ['what just fits two pages', (8192 - HEAD) / 8, 2],
  ['a million instructions', 1_000_000, 1954],
])('%s (%i instructions): %i pages', (_, n, pages) => {
  const machine = machineOf();
  const prog = bpfProgAllocNoStats(machine, n);
  expect(prog.pages).toBe(pages);
  expect(machine.progAccount).toEqual({ pages, objects: 2 });
  expect(prog.base % 4096).toBe(0);
  expect(machine.memory.copy(prog.base, pages * 4096).every((byte) => byte === 0)).toBe(true);
});

test('memory that was in use before is zeroed', () => {
  const machine = machineOf();
  const dirty = machine.memory.alloc(8192, 4096);
  machine.memory.bytes.fill(0xee, dirty, dirty + 8192);
  machine.memory.free(dirty);
  const prog = bpfProgAllocNoStats(machine, 4);
  expect(prog.base).toBeLessThan(dirty + 8192);
  expect(machine.memory.copy(prog.base, 4096).every((byte) => byte === 0)).toBe(true);
});

test('three locks and a counter a CPU lie in memory, apart from each other, 0', () => {
  const machine = machineOf({}, 3);
  const prog = bpfProgAllocNoStats(machine, 4);
  const { aux } = prog;
  if (aux === undefined) throw new Error('no aux');
  const words = [
    aux.usedMapsMutex,
    aux.extMutex,
    aux.dstMutex,
    ...[0, 1, 2].map((cpu) => prog.active + 4 * cpu),
  ];
  expect(new Set(words).size).toBe(6);
  for (const at of words) {
    expect(at % 4).toBe(0);
    expect(Atomics.load(machine.memory.words, at >> 2)).toBe(0);
  }
  expect(aux.prog).toBe(prog);
  expect(prog).toMatchObject({ stats: 0, blinded: false, jited: false, freed: false });
});

describe('settings', () => {
  test.each([
    [0, 0, true, false, false],
    [0, 2, false, false, false],
    [1, 0, false, true, false],
    [1, 1, true, true, false],
    [1, 1, false, true, true],
    [1, 2, true, true, true],
    [2, 2, false, true, true],
  ] as const)('bpf_jit_enable %i, bpf_jit_harden %i, privileged %s: jit %s, blinding %s', (...row) => {
    const [bpfJitEnable, bpfJitHarden, privileged, jit, blinding] = row;
    const settings = { bpfJitEnable, bpfJitHarden, privileged };
    const prog = bpfProgAllocNoStats(machineOf(settings), 1);
    expect(prog).toMatchObject({ jitRequested: jit, blindingRequested: blinding });
    expect(ebpfJitEnabled({ ...DEFAULT_SETTINGS, ...settings })).toBe(jit);
    expect(bpfJitBlindingEnabled({ ...DEFAULT_SETTINGS, ...settings })).toBe(blinding);
  });
});

test('each allocation that fails gives back what was taken before it', () => {
  let before = {};
  const failures = failEach(
    () => {
      const machine = machineOf();
      before = account(machine);
      return { machine, call: () => bpfProgAllocNoStats(machine, 600) };
    },
    (machine, nth, error) => {
      expect(String(error)).toContain('told to fail');
      expect(account(machine), `allocation ${nth}`).toEqual(before);
    },
  );
  expect(failures).toBe(3);
});
