import { expect, test } from 'vitest';
import { createMap, freeMap } from '#core/maps/create.ts';
import { bpfProgBindMap } from '#core/prog/bpf-prog-bind-map.ts';
import { type BpfProg, bpfProgFree, bpfProgLoad } from '#core/prog/load.ts';
import { auxOf } from '#core/prog/prog.ts';
import { ProgramSet } from '#core/prog/program-set.ts';
import { namedMaps, usedMapIds } from '#core/prog/used-maps.ts';
import { Machine } from '#core/vm/machine.ts';
import type { BpfMap } from '#core/vm/map.ts';
import { mutexIsLocked, mutexLock } from '#core/vm/mutex.ts';
import { AUX_USED_MAP_CNT, AUX_USED_MAPS } from '#core/vm/prog-aux.ts';
import { arrayMap, attrOf, EXIT, R0_0, type Slot } from './build.ts';
import { linked } from './extensions.ts';
import { holdMutex, sharedOf, startThread } from './mutex-threads.ts';
import { account, calls, failEach, machineOf } from './shells.ts';

/** r1 = map number `index`. */
const mapLoad = (index: number, src = 1): Slot[] => [[0x18, 1, src, 0, index], [0]];

function load(
  machine: Machine,
  code: readonly Slot[] = [R0_0, EXIT],
  names: readonly string[] = [],
): BpfProg {
  const loaded = bpfProgLoad(machine, attrOf('xdp', code, { maps: names.map((name) => arrayMap(name)) }));
  if (!loaded.ok) throw new Error(loaded.refusal.message);
  return loaded.prog;
}

function mapIn(machine: Machine, name = 'meta', type = 'array'): BpfMap {
  const valueSize = type === 'prog_array' ? 4 : 8;
  const map = createMap(machine, { ...arrayMap(name, valueSize), type });
  if ('errno' in map) throw new Error(map.message);
  return map;
}

test('a map that the program does not name is added to those that it uses, once', () => {
  const machine = machineOf();
  const prog = load(machine);
  const map = mapIn(machine);
  const objects = machine.progAccount.objects;
  expect(usedMapIds(machine, prog)).toEqual([]);
  expect(bpfProgBindMap(machine, prog, map)).toBe(0);
  expect(bpfProgBindMap(machine, prog, map)).toBe(0);
  expect(usedMapIds(machine, prog)).toEqual([map.id]);
  expect(machine.progAccount.objects).toBe(objects + 1);
  expect(calls(machine).filter((name) => name === 'bpf_prog_bind_map').length).toBe(2);
});

test('maps that the program names come first, each once, in the order in which it names them', () => {
  const machine = machineOf();
  const code = [...mapLoad(2), ...mapLoad(0), ...mapLoad(2), ...mapLoad(3, 2), R0_0, EXIT];
  expect(namedMaps(attrOf('xdp', code).insns)).toEqual([2, 0, 3]);
  const prog = load(machine, code, ['a', 'b', 'c', 'd']);
  const [a, b, c, d] = prog.maps;
  expect(usedMapIds(machine, prog)).toEqual([c?.id, a?.id, d?.id]);
  if (b === undefined || c === undefined) throw new Error('maps are missing');
  expect(bpfProgBindMap(machine, prog, c)).toBe(0);
  expect(bpfProgBindMap(machine, prog, b)).toBe(0);
  expect(usedMapIds(machine, prog)).toEqual([c.id, a?.id, d?.id, b.id]);
});

// Linux 6.18 takes all of these: no type is refused, and there is no limit of 64.
test('maps of any type and any number can be bound', () => {
  const machine = machineOf();
  const prog = load(machine);
  const maps = ['array', 'hash', 'prog_array', ...Array<string>(100).fill('array')].map((type, i) =>
    mapIn(machine, `m${i}`, type),
  );
  for (const map of maps) expect(bpfProgBindMap(machine, prog, map)).toBe(0);
  expect(usedMapIds(machine, prog)).toEqual(maps.map(({ id }) => id));
});

test('what is refused, with the errno that Linux 6.18 gives', () => {
  const machine = machineOf();
  const prog = load(machine);
  const map = mapIn(machine);
  const before = account(machine);
  expect(bpfProgBindMap(machine, prog, map, 1)).toBe(-22);
  const other = machineOf();
  expect(bpfProgBindMap(machine, prog, mapIn(other))).toBe(-9);
  expect(bpfProgBindMap(machine, load(other), map)).toBe(-9);
  const gone = mapIn(machine);
  freeMap(machine, gone);
  expect(bpfProgBindMap(machine, prog, gone)).toBe(-9);
  expect(usedMapIds(machine, prog)).toEqual([]);
  expect(account(machine)).toEqual(before);
  const freed = load(machine);
  bpfProgFree(machine, freed);
  expect(bpfProgBindMap(machine, freed, map)).toBe(-9);
  expect(account(machine)).toEqual(before);
});

test('without memory for a longer list: ENOMEM, the list and the lock as they were', () => {
  let made: { prog: BpfProg; before: object; ids: number[] } | undefined;
  const failures = failEach(
    () => {
      const machine = machineOf();
      const prog = load(machine, [...mapLoad(0), R0_0, EXIT], ['a']);
      const map = mapIn(machine);
      made = { prog, before: account(machine), ids: usedMapIds(machine, prog) };
      return {
        machine,
        call: () => {
          const errno = bpfProgBindMap(machine, prog, map);
          if (errno !== 0) throw new Error(String(errno));
        },
      };
    },
    (machine, _, error) => {
      if (made === undefined) throw new Error('nothing was made');
      expect((error as Error).message).toBe('-12');
      expect(account(machine)).toEqual(made.before);
      expect(usedMapIds(machine, made.prog)).toEqual(made.ids);
      expect(mutexIsLocked(machine.memory.words, auxOf(made.prog).usedMapsMutex)).toBe(false);
    },
  );
  expect(failures).toBe(1);
});

test('the list goes with the program, the bound map stays with whoever made it', () => {
  const machine = machineOf();
  const map = mapIn(machine);
  const before = account(machine);
  const prog = load(machine, [...mapLoad(0), R0_0, EXIT], ['a']);
  bpfProgBindMap(machine, prog, map);
  bpfProgFree(machine, prog);
  expect(account(machine)).toEqual(before);
  expect(machine.maps.get(map.id)).toBe(map);
});

test('loading that fails at any allocation gives back the list too', () => {
  let before = {};
  const failures = failEach(
    () => {
      const machine = machineOf();
      before = account(machine);
      return { machine, call: () => load(machine, [...mapLoad(0), R0_0, EXIT], ['a']) };
    },
    (machine, nth) => expect(account(machine), `allocation ${nth}`).toEqual(before),
  );
  expect(failures).toBeGreaterThan(5);
});

test('read-only data of the file is frozen and bound, whether the program names it or not', () => {
  const text =
    '.section xdp\nmain:\nr0 = 0\nexit\n.section .rodata,"a"\n.asciz "v7"\n.section .rodata.more,"a"\n.long 5';
  const attr = linked('main', text);
  expect(attr.maps.map(({ name }) => name)).toEqual(['.rodata', '.rodata.more']);
  const machine = machineOf();
  const loaded = new ProgramSet(machine).load(attr);
  if (!loaded.ok) throw new Error(loaded.refusal.message);
  const { prog } = loaded;
  expect(usedMapIds(machine, prog)).toEqual(prog.maps.map(({ id }) => id));
  expect(prog.maps.map(({ frozen }) => frozen)).toEqual([true, true]);
  expect(prog.maps[0]?.update(new Uint8Array(4), new Uint8Array(3), 0n)).toBe(-1);
  expect(calls(machine).filter((name) => name === 'bpf_prog_bind_map').length).toBe(2);
  bpfProgFree(machine, prog);
  expect(machine.maps.size).toBe(0);
});

test('.data and maps that nothing names are not bound; data with pointers that nothing names is left out', () => {
  const text =
    '.map spare, array, 4, 8, 1\n.section xdp\nmain:\nr0 = 0\nexit\n.data\n.long 5\n.section .rodata,"a"\n.quad main';
  const attr = linked('main', text);
  expect(attr.maps.map(({ name }) => name)).toEqual(['spare']);
  expect(attr.rodata).toBeUndefined();
});

test('a list that another thread holds the lock of is waited for', async () => {
  const machine = new Machine({ shared: true });
  const prog = load(machine);
  const map = mapIn(machine);
  const thread = await holdMutex(machine, auxOf(prog).usedMapsMutex, 200);
  const before = performance.now();
  expect(bpfProgBindMap(machine, prog, map)).toBe(0);
  expect(performance.now() - before).toBeGreaterThan(80);
  await thread.done;
  expect(usedMapIds(machine, prog)).toEqual([map.id]);
});

test('threads that read the list under the lock see it whole while maps are bound and lists are given back', async () => {
  const machine = new Machine({ shared: true });
  const prog = load(machine);
  const { block, usedMapsMutex } = auxOf(prog);
  const endWord = machine.memory.alloc(4, 4);
  const maps = Array.from({ length: 300 }, (_, i) => mapIn(machine, `m${i}`));
  const counters = [2, 3].map(() => machine.memory.alloc(4, 4));
  const readers = counters.map((readsWord, i) =>
    startThread({
      kind: 'list',
      memory: sharedOf(machine),
      mutex: usedMapsMutex,
      thread: i + 2,
      count: block + AUX_USED_MAP_CNT,
      list: block + AUX_USED_MAPS,
      endWord,
      readsWord,
    }),
  );
  const reads = () => counters.map((at) => Atomics.load(machine.memory.words, at >> 2));
  while (Math.min(...reads()) < 10) await new Promise((resolve) => setTimeout(resolve, 5));
  const before = reads();
  for (const map of maps) {
    expect(bpfProgBindMap(machine, prog, map)).toBe(0);
    await new Promise((resolve) => setImmediate(resolve));
  }
  // on a machine that is busy the readers may have had no turn yet
  while (reads().some((n, i) => n <= (before[i] ?? 0) + 10))
    await new Promise((resolve) => setTimeout(resolve, 5));
  Atomics.store(machine.memory.words, endWord >> 2, 1);
  const seen = await Promise.all(readers.map(({ done }) => done));
  expect(seen.map(({ wrong }) => wrong)).toEqual([0, 0]);
  expect(usedMapIds(machine, prog)).toEqual(maps.map(({ id }) => id));
}, 30_000);

test('a program whose list is locked is not freed: an error, and it is as it was', () => {
  const machine = machineOf();
  const prog = load(machine);
  const { usedMapsMutex } = auxOf(prog);
  mutexLock(machine.memory.words, usedMapsMutex, 8);
  const before = account(machine);
  expect(() => bpfProgFree(machine, prog)).toThrow('freed while its used_maps_mutex is held');
  expect(account(machine)).toEqual(before);
  expect(machine.progs.get(prog.id)).toBe(prog);
  expect(() => bpfProgBindMap(machine, prog, mapIn(machine))).toThrow('no other thread can come here');
});
