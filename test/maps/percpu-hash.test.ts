import { describe, expect, test } from 'vitest';
import type { Insn } from '#core/isa/insn.ts';
import { createMap, freeMap, isRefusal } from '#core/maps/create.ts';
import { E2BIG, EEXIST, EINVAL, ENOENT, EPERM } from '#core/maps/errno.ts';
import type { MapDef } from '#core/object/object.ts';
import { MAX_CPUS } from '#core/vm/layout.ts';
import type { BpfMap } from '#core/vm/map.ts';
import { EXIT, insn, newMachine, runSlots } from '../interp/build.ts';
import { helperOn, make, signed, u32, u64s } from './percpu.ts';

const ANY = 0n;
const HITS: MapDef = { name: 'hits', type: 'percpu_hash', keySize: 4, valueSize: 8, maxEntries: 3, flags: 0 };

const entries = (map: BpfMap) => new Map([...map.entries()].map(([key, value]) => [String(key), value]));

describe('from outside: the values of all CPUs', () => {
  test('each takes round_up(value_size, 8) bytes, and all of them are kept', () => {
    const { map } = make({ ...HITS, keySize: 13, valueSize: 5 }, 2);
    const [one, two] = [new Uint8Array(13).fill(1), new Uint8Array(13).fill(2)];
    const all = Uint8Array.from({ length: 16 }, (_, i) => i + 1);
    expect(map.lookup(one)).toBeUndefined();
    expect([map.update(one, all, ANY), map.update(two, all.toReversed(), ANY)]).toEqual([0, 0]);
    expect(map.lookup(one)).toEqual(all);
    expect(entries(map)).toEqual(
      new Map([
        [String(one), all],
        [String(two), all.toReversed()],
      ]),
    );
    expect([map.update(one, new Uint8Array(5), ANY), map.update(u32(1), all, ANY)]).toEqual([
      -EINVAL,
      -EINVAL,
    ]);
  });

  // As measured on 6.18, with and without BPF_F_NO_PREALLOC.
  test.each([
    ['ANY', 0n, 0, 0],
    ['NOEXIST', 1n, -EEXIST, 0],
    ['EXIST', 2n, 0, -ENOENT],
    ['NOEXIST | EXIST', 3n, -EINVAL, -EINVAL],
    ['F_LOCK', 4n, -EINVAL, -EINVAL],
    ['F_LOCK | NOEXIST', 5n, -EINVAL, -EINVAL],
    ['unknown', 8n, -EINVAL, -EINVAL],
    ['unknown, high', 1n << 32n, -EINVAL, -EINVAL],
  ])('update: %s', (_, flags, existing, missing) => {
    for (const mapFlags of [0, 1]) {
      const { map } = make({ ...HITS, flags: mapFlags }, 2);
      map.update(u32(1), u64s(1, 2), ANY);
      expect(map.update(u32(1), u64s(3, 4), flags)).toBe(existing);
      expect(map.update(u32(9), u64s(5, 6), flags)).toBe(missing);
      expect(map.lookup(u32(1))).toEqual(existing === 0 ? u64s(3, 4) : u64s(1, 2));
    }
  });

  test('full: new keys give E2BIG, old ones can still be replaced; a delete makes room', () => {
    const { map } = make(HITS, 2);
    for (const key of [1, 2, 3]) expect(map.update(u32(key), u64s(key, key), ANY)).toBe(0);
    expect([map.update(u32(4), u64s(4, 4), ANY), map.update(u32(4), u64s(4, 4), 2n)]).toEqual([
      -E2BIG,
      -ENOENT,
    ]);
    expect(map.update(u32(3), u64s(5, 6), ANY)).toBe(0);
    expect([map.delete(u32(2)), map.delete(u32(2)), map.delete(new Uint8Array(3))]).toEqual([
      0,
      -ENOENT,
      -EINVAL,
    ]);
    expect(map.update(u32(4), u64s(7, 8), ANY)).toBe(0);
    expect(entries(map)).toEqual(
      new Map([
        [String(u32(1)), u64s(1, 1)],
        [String(u32(3)), u64s(5, 6)],
        [String(u32(4)), u64s(7, 8)],
      ]),
    );
  });

  test('a frozen one stays; an initial entry of one value is that of every CPU', () => {
    const initial = [
      { key: u32(1), value: u64s(7) },
      { key: u32(2), value: u64s(1, 2) },
    ];
    const { map } = make({ ...HITS, entries: initial }, 2);
    map.freeze();
    expect([map.update(u32(0), u64s(1, 2), ANY), map.delete(u32(1))]).toEqual([-EPERM, -EPERM]);
    expect([map.lookup(u32(1)), map.lookup(u32(2))]).toEqual([u64s(7, 7), u64s(1, 2)]);
  });
});

describe('creating', () => {
  // As measured on 6.18.
  test.each<[string, Partial<MapDef>, number, string]>([
    ['a value larger than a per-CPU allocation', { valueSize: 32769 }, E2BIG, 'at most 32768 bytes'],
    ['a key larger than an allocation', { keySize: 4194304 }, E2BIG, 'less than 4194304'],
    ['BPF_F_NUMA_NODE', { flags: 4 }, EINVAL, 'flags 0x4 are not for maps of type percpu_hash'],
    ['BPF_F_NO_COMMON_LRU', { flags: 2 }, EINVAL, 'flags 0x2 are not for maps of type percpu_hash'],
    ['BPF_F_MMAPABLE', { flags: 0x400 }, EINVAL, 'flags 0x400 are not for maps of type percpu_hash'],
    ['no entries', { maxEntries: 0 }, EINVAL, 'max_entries must not be 0'],
  ])('%s is refused', (_, change, errno, message) => {
    const refusal = createMap(newMachine({ nCpus: 2 }), { ...HITS, ...change });
    expect(refusal).toMatchObject({ errno: -errno, message: expect.stringContaining(message) });
  });

  test.each([0, 1, 8, 16, 0x40, 0x80, 0x100])('flags %d are taken', (flags) => {
    expect(make({ ...HITS, flags, valueSize: 32768, keySize: 513 }, 2).map.def.flags).toBe(flags);
  });

  test('gives everything back, also when memory runs out on the way and elements were in use', () => {
    const machine = newMachine({ nCpus: 4 });
    machine.perCpu();
    const before = [machine.space.freeWindows, machine.memory.takenBytes, machine.memory.takenBlocks];
    const now = () => [machine.space.freeWindows, machine.memory.takenBytes, machine.memory.takenBlocks];
    for (let nth = 0; nth < 6; nth++) {
      machine.memory.failAfter(nth);
      expect(isRefusal(createMap(machine, HITS))).toBe(true);
      expect(now()).toEqual(before);
    }
    machine.memory.failAfter(undefined);
    const map = createMap(machine, HITS);
    if (isRefusal(map)) throw new Error(map.message);
    for (const key of [1, 2, 3]) map.update(u32(key), u64s(1, 2, 3, 4), ANY);
    map.delete(u32(2));
    expect(machine.memory.takenBlocks).toBe((before[2] ?? 0) + 6);
    freeMap(machine, map);
    expect(now()).toEqual(before);
  });

  test('with as many CPUs as a machine can have, and more elements than there are windows', () => {
    const { machine, map } = make({ ...HITS, maxEntries: 1000 }, MAX_CPUS);
    const value = u64s(...Array.from({ length: MAX_CPUS }, (_, cpu) => cpu));
    for (let key = 0; key < 1000; key++) expect(map.update(u32(key), value, ANY)).toBe(0);
    expect(map.lookup(u32(999))).toEqual(value);
    for (const key of [0, 999]) {
      const lookup = [...helperOn(map, 1, key), ...insn('ldxdw', { dst: 0, src: 0 }), ...EXIT];
      expect(runSlots(lookup, { machine, cpu: MAX_CPUS - 1 }).r0).toBe(BigInt(MAX_CPUS - 1));
    }
    expect(machine.space.describe(map.valueAddr(u32(0), 3) ?? 0n)).toBe('hits[0x0] on CPU 3');
    expect(machine.space.describe(map.valueAddr(u32(999), 3) ?? 0n)).toBe('values of hits on CPU 3 + 7992');
  });
});

describe('from a program: the value of its CPU', () => {
  test.each([0, 1])('update and lookup on CPU %d', (cpu) => {
    const { machine, map } = make(HITS, 2);
    map.update(u32(1), u64s(11, 22), ANY);
    expect(signed(runSlots([...helperOn(map, 2, 1), ...EXIT], { machine, cpu }))).toBe(0);
    expect(map.lookup(u32(1))).toEqual(cpu === 0 ? u64s(77, 22) : u64s(11, 77));
    const lookup = [...helperOn(map, 1, 1), ...insn('ldxdw', { dst: 0, src: 0 }), ...EXIT];
    expect(runSlots(lookup, { machine, cpu }).r0).toBe(77n);
    expect(runSlots(lookup, { machine, cpu: 1 - cpu }).r0).toBe(cpu === 0 ? 22n : 11n);
  });

  // As measured on 6.18: ff in all bytes, then an update there, a delete and the element anew.
  test('a new element is zero on other CPUs; what lies behind value_size bytes stays as it was', () => {
    const { machine, map } = make({ ...HITS, valueSize: 5 }, 2);
    map.update(u32(1), new Uint8Array(16).fill(0xff), ANY);
    const run = (slots: Insn[]) => signed(runSlots([...slots, ...EXIT], { machine, cpu: 1 }));
    const ff = [0xff, 0xff, 0xff];
    expect(run(helperOn(map, 2, 1, 0, 0x11111111))).toBe(0);
    expect(map.lookup(u32(1))).toEqual(Uint8Array.of(...new Array(8).fill(255), 17, 17, 17, 17, 0, ...ff));
    expect([run(helperOn(map, 3, 1)), run(helperOn(map, 2, 1, 0, 0x22222222))]).toEqual([0, 0]);
    expect(map.lookup(u32(1))).toEqual(Uint8Array.of(0, 0, 0, 0, 0, ...ff, 34, 34, 34, 34, 0, ...ff));
  });

  test.each([
    ['NOEXIST', 1, -EEXIST, 0],
    ['EXIST', 2, 0, -ENOENT],
    ['NOEXIST | EXIST', 3, -EINVAL, -EINVAL],
    ['F_LOCK', 4, -EINVAL, -EINVAL],
    ['F_LOCK | NOEXIST', 5, -EINVAL, -EINVAL],
    ['unknown', 8, -EINVAL, -EINVAL],
  ])('update: %s', (_, flags, existing, missing) => {
    const { machine, map } = make(HITS, 2);
    map.update(u32(1), u64s(1, 2), ANY);
    const update = (key: number) => signed(runSlots([...helperOn(map, 2, key, flags), ...EXIT], { machine }));
    expect([update(1), update(9)]).toEqual([existing, missing]);
  });

  test('BPF_F_RDONLY_PROG: neither update nor delete', () => {
    const { machine, map } = make({ ...HITS, flags: 0x80 }, 2);
    map.update(u32(1), u64s(1, 2), ANY);
    for (const helper of [2, 3]) {
      expect(signed(runSlots([...helperOn(map, helper, 1), ...EXIT], { machine }))).toBe(-EPERM);
    }
  });

  test('a pointer sees the value that replaces it, and what is in a deleted element', () => {
    for (const helper of [2, 3]) {
      const { machine, map } = make(HITS, 1);
      map.update(u32(1), u64s(11), ANY);
      const slots = [
        ...helperOn(map, 1, 1),
        ...insn('mov64_reg', { dst: 6, src: 0 }),
        ...helperOn(map, helper, 1),
        ...insn('ldxdw', { dst: 0, src: 6 }),
        ...EXIT,
      ];
      expect(runSlots(slots, { machine }).r0).toBe(helper === 2 ? 77n : 11n);
    }
  });

  test.each([
    [1, 0, 11n],
    [1, 1, 22n],
    [1, 2, 0n],
    [1, -1, 0n],
    [5, 0, 0n],
  ])('bpf_map_lookup_percpu_elem, key %d on CPU %d', (key, cpu, value) => {
    const { machine, map } = make(HITS, 2);
    map.update(u32(1), u64s(11, 22), ANY);
    const slots = [
      ...helperOn(map, 1, key).slice(0, -1),
      ...insn('mov64_imm', { dst: 3, imm: cpu }),
      ...insn('call_helper', { imm: 195 }),
      ...insn('jeq64_imm', { dst: 0, imm: 0, off: 1 }),
      ...insn('ldxdw', { dst: 0, src: 0 }),
      ...EXIT,
    ];
    expect(runSlots(slots, { machine }).r0).toBe(value);
  });
});

test('the copies of a value are 2^32 apart, and are named after key and CPU, anew for each key', () => {
  const { machine, map } = make({ ...HITS, maxEntries: 1 }, 2);
  map.update(u32(1), u64s(1, 2), ANY);
  const first = map.valueAddr(u32(1)) ?? 0n;
  expect(map.valueAddr(u32(1), 1)).toBe(first + (1n << 32n));
  expect(map.valueAddr(u32(1), 2)).toBeUndefined();
  expect(machine.space.describe(first + (1n << 32n))).toBe('hits[0x1] on CPU 1');
  map.delete(u32(1));
  map.update(u32(80), u64s(1, 2), ANY);
  expect(machine.space.describe(first)).toBe('hits[0x50] on CPU 0');
});
