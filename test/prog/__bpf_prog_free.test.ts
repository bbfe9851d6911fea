import { expect, test } from 'vitest';
import { bpfProgAlloc } from '#core/prog/bpf-prog-alloc.ts';
import { bpfProgAllocJitedLinfo } from '#core/prog/bpf-prog-alloc-jited-linfo.ts';
import { bpfProgFree, rawBpfProgFree } from '#core/prog/bpf-prog-free.ts';
import { bpfProgLoad } from '#core/prog/load.ts';
import { auxOf } from '#core/prog/prog.ts';
import { mutexLock, mutexUnlock } from '#core/vm/mutex.ts';
import { arrayMap, attrOf, EXIT, R0_0 } from './build.ts';
import { account, calls, machineOf, shellOf } from './shells.ts';

test('everything goes back, once', () => {
  const machine = machineOf({}, 3);
  const before = account(machine);
  const prog = bpfProgAlloc(machine, 1000);
  rawBpfProgFree(machine, prog);
  expect(account(machine)).toEqual(before);
  expect(prog).toMatchObject({ aux: undefined, active: 0, stats: 0, freed: true });
  expect(() => rawBpfProgFree(machine, prog)).toThrow(
    'this program has been freed before; a program object is freed once',
  );
  expect(() => bpfProgFree(machine, prog)).toThrow('freed before');
  expect(account(machine)).toEqual(before);
});

test('freeing twice does not take what another program has been given since', () => {
  const machine = machineOf();
  const first = bpfProgAlloc(machine, 4);
  rawBpfProgFree(machine, first);
  bpfProgAlloc(machine, 4);
  const held = account(machine);
  expect(() => rawBpfProgFree(machine, first)).toThrow('freed before');
  expect(account(machine)).toEqual(held);
});

test('unloading frees tables and maps before the object', () => {
  const machine = machineOf();
  const before = account(machine);
  const prog = shellOf(machine, [R0_0, EXIT], { lines: [0, 1] });
  bpfProgAllocJitedLinfo(machine, prog);
  bpfProgFree(machine, prog);
  expect(account(machine)).toEqual(before);

  const loaded = bpfProgLoad(machine, attrOf('raw', [R0_0, EXIT], { maps: [arrayMap('m')] }));
  if (!loaded.ok) throw new Error(loaded.refusal.message);
  expect(machine.maps.size).toBe(1);
  bpfProgFree(machine, loaded.prog);
  expect(machine.maps.size + machine.progs.size).toBe(0);
  expect(account(machine)).toEqual(before);
  expect(calls(machine).at(-1)).toBe('__bpf_prog_free');
});

test.each(['usedMapsMutex', 'extMutex', 'dstMutex'] as const)(
  'an object whose %s is held is not freed: an error, and nothing is given back',
  (mutex) => {
    const machine = machineOf();
    const prog = shellOf(machine, [R0_0, EXIT]);
    const at = auxOf(prog)[mutex];
    mutexLock(machine.memory.words, at, 3);
    const before = account(machine);
    expect(() => rawBpfProgFree(machine, prog)).toThrow(
      /^this program is freed while its \w+_mutex is held$/,
    );
    expect(account(machine)).toEqual(before);
    expect(prog.freed).toBe(false);
    mutexUnlock(machine.memory.words, at, 3);
    rawBpfProgFree(machine, prog);
    expect(machine.progAccount).toEqual({ pages: 0, objects: 0 });
  },
);
