import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createMap, freeMap, isRefusal } from '#core/maps/create.ts';
import { E2BIG, EBADF, EEXIST, EINVAL, ENOENT, ENOMEM, EPERM, errnoName } from '#core/maps/errno.ts';
import { mapAtAddr } from '#core/maps/header.ts';
import { htabElemValue } from '#core/maps/kernel-layout.ts';
import type { MapDef } from '#core/object/object.ts';
import { accessProblem } from '#core/vm/access-fault.ts';
import { Machine } from '#core/vm/machine.ts';
import type { BpfMap } from '#core/vm/map.ts';
import { EXIT, load } from '../interp/build.ts';

const seed = 0x5eed;
const ANY = 0n;
const NOEXIST = 1n;
const EXIST = 2n;
const F_LOCK = 4n;

const newMachine = (shared = false): Machine => new Machine({ shared, maxMemory: 2 ** 24 });
const ARRAY: MapDef = { name: 'counters', type: 'array', keySize: 4, valueSize: 4, maxEntries: 3, flags: 0 };
const HASH: MapDef = { name: 'ports', type: 'hash', keySize: 2, valueSize: 8, maxEntries: 2, flags: 0 };
const PROGS: MapDef = {
  name: 'jumps',
  type: 'prog_array',
  keySize: 4,
  valueSize: 4,
  maxEntries: 2,
  flags: 0,
};

function make(machine: Machine, def: MapDef): BpfMap {
  const map = createMap(machine, def);
  if (isRefusal(map)) throw new Error(map.message);
  return map;
}

const u32 = (n: number): Uint8Array => new Uint8Array(Uint32Array.of(n).buffer);
const u16 = (n: number): Uint8Array => new Uint8Array(Uint16Array.of(n).buffer);
const u64 = (n: number): Uint8Array => new Uint8Array(BigUint64Array.of(BigInt(n)).buffer);

describe('creating', () => {
  test.each<[string, MapDef, number, string]>([
    [
      'an unknown type',
      { ...ARRAY, type: 'lru_hash' },
      EINVAL,
      'map counters: map type lru_hash is not simulated yet; use array, hash, percpu_hash, percpu_array, prog_array',
    ],
    [
      'an array key that is not 4 bytes',
      { ...ARRAY, keySize: 8 },
      EINVAL,
      'map counters: key_size is 8; a map of type array has keys of 4 bytes',
    ],
    ['no entries', { ...ARRAY, maxEntries: 0 }, EINVAL, 'map counters: max_entries must not be 0'],
    ['an empty value', { ...ARRAY, valueSize: 0 }, EINVAL, 'map counters: value_size must not be 0'],
    ['an empty key', { ...HASH, keySize: 0 }, EINVAL, 'map ports: key_size must not be 0'],
    [
      'a number that is none',
      { ...HASH, maxEntries: -1 },
      EINVAL,
      'map ports: max_entries is -1; it must be 1 … 4294967295',
    ],
    [
      'a program array value that is not 4 bytes',
      { ...PROGS, valueSize: 8 },
      EINVAL,
      'map jumps: value_size is 8; a map of type prog_array has values of 4 bytes',
    ],
    [
      'BPF_F_NO_PREALLOC on an array',
      { ...ARRAY, flags: 1 },
      EINVAL,
      'map counters: flags 0x1 are not for maps of type array (allowed: 0x59c)',
    ],
    [
      'both access flags',
      { ...HASH, flags: 0x180 },
      EINVAL,
      'map ports: BPF_F_RDONLY_PROG and BPF_F_WRONLY_PROG exclude each other',
    ],
    [
      'a huge element',
      { ...HASH, valueSize: 2 ** 22 },
      E2BIG,
      'map ports: key and value have 4194306 bytes; they must have less than 4194304',
    ],
    [
      'more than the machine has',
      { ...ARRAY, maxEntries: 2 ** 24 },
      ENOMEM,
      'map counters: 134217728 bytes do not fit: the machine has',
    ],
    [
      'more than anybody has',
      { ...ARRAY, maxEntries: 2 ** 32 - 1 },
      ENOMEM,
      'map counters: its 34359738360 bytes do not fit; a map can have at most 2147483647',
    ],
    [
      'an initial entry that does not fit',
      { ...ARRAY, entries: [{ key: u32(3), value: u32(1) }] },
      E2BIG,
      'map counters: initial entry 0 is refused (E2BIG)',
    ],
  ])('%s is refused', (_, def, errno, message) => {
    const machine = newMachine();
    const before = machine.memory.takenBytes;
    const result = createMap(machine, def);
    expect(isRefusal(result) && result.errno).toBe(-errno);
    expect(isRefusal(result) && result.message).toContain(message);
    expect([machine.maps.size, machine.memory.takenBytes]).toEqual([0, before]);
  });

  test('initial entries are there; freeing gives everything back', () => {
    const machine = newMachine();
    const { freeWindows } = machine.space;
    const before = machine.memory.takenBytes;
    const map = make(machine, { ...HASH, entries: [{ key: u16(80), value: u64(7) }] });
    expect(map.lookup(u16(80))).toEqual(u64(7));
    expect(machine.maps.get(map.id)).toBe(map);
    freeMap(machine, map);
    expect([machine.maps.size, machine.memory.takenBytes]).toEqual([0, before]);
    expect(machine.space.freeWindows).toBe(freeWindows);
  });

  test('errno names', () => {
    expect([errnoName(-22), errnoName(7), errnoName(999)]).toEqual(['EINVAL', 'E2BIG', '999']);
  });
});

describe.each([false, true])('array (shared memory: %s)', (shared) => {
  test.each<[string, number, bigint, number]>([
    ['any', 2, ANY, 0],
    ['existing', 2, EXIST, 0],
    ['not existing', 2, NOEXIST, -EEXIST],
    ['past the end', 3, ANY, -E2BIG],
    ['past the end, whatever the flags', 3, NOEXIST, -E2BIG],
    ['unknown flags before the index', 3, 3n, -EINVAL],
    ['huge flags', 0, 1n << 40n, -EINVAL],
    ['with a lock that the value does not have', 0, F_LOCK, -EINVAL],
  ])('update %s', (_, index, flags, result) => {
    const map = make(newMachine(shared), ARRAY);
    expect(map.update(u32(index), u32(9), flags)).toBe(result);
    expect([...map.entries()].filter(([, value]) => value[0] === 9)).toHaveLength(result === 0 ? 1 : 0);
  });

  test('values are 8 bytes apart, zeroed, and cannot be deleted', () => {
    const machine = newMachine(shared);
    const map = make(machine, ARRAY);
    const first = map.directValueAddr ?? 0n;
    expect(map.valueAddr(u32(2))).toBe(first + 16n);
    expect(map.valueAddr(u32(3))).toBeUndefined();
    expect(map.lookup(u32(0))).toEqual(u32(0));
    expect(map.lookup(u32(3))).toBeUndefined();
    expect(map.delete(u32(0))).toBe(-EINVAL);
    expect(machine.space.describe(first + 4n)).toBe('values of counters + 4');
    expect(machine.space.regionAt(first)?.size).toBe(24);
  });

  test('keys and values of the wrong size', () => {
    const map = make(newMachine(shared), ARRAY);
    expect(map.update(u16(0), u32(0), ANY)).toBe(-EINVAL);
    expect(map.update(u32(0), u64(0), ANY)).toBe(-EINVAL);
    expect(map.lookup(u16(0))).toBeUndefined();
  });
});

describe.each([false, true])('hash (shared memory: %s)', (shared) => {
  test.each<[string, bigint, number, number]>([
    ['any, new', ANY, 443, 0],
    ['any, there', ANY, 80, 0],
    ['not existing, new', NOEXIST, 443, 0],
    ['not existing, there', NOEXIST, 80, -EEXIST],
    ['existing, new', EXIST, 443, -ENOENT],
    ['existing, there', EXIST, 80, 0],
    ['unknown flags', 3n, 80, -EINVAL],
    ['with a lock that the value does not have', F_LOCK, 80, -EINVAL],
  ])('update %s', (_, flags, key, result) => {
    const map = make(newMachine(shared), HASH);
    map.update(u16(80), u64(1), ANY);
    expect(map.update(u16(key), u64(2), flags)).toBe(result);
    expect(map.lookup(u16(key))).toEqual(result === 0 ? u64(2) : key === 80 ? u64(1) : undefined);
  });

  test('full: new keys give E2BIG, old ones can still be replaced', () => {
    const map = make(newMachine(shared), HASH);
    expect([1, 2, 3].map((key) => map.update(u16(key), u64(key), ANY))).toEqual([0, 0, -E2BIG]);
    for (let i = 0; i < 5; i++) expect(map.update(u16(1), u64(10 + i), ANY)).toBe(0);
    expect(map.delete(u16(1))).toBe(0);
    expect(map.delete(u16(1))).toBe(-ENOENT);
    expect(map.update(u16(3), u64(3), ANY)).toBe(0);
    expect(map.lookup(u16(3))).toEqual(u64(3));
  });

  test('each value is an object of its own, named after its key', () => {
    const machine = newMachine(shared);
    const map = make(machine, HASH);
    map.update(u16(0x50), u64(1), ANY);
    const addr = map.valueAddr(u16(0x50)) ?? 0n;
    expect(machine.space.describe(addr)).toBe('ports[0x50]');
    expect(machine.space.regionAt(addr)?.size).toBe(8);
    map.delete(u16(0x50));
    map.update(u16(0x1bb), u64(2), ANY);
    expect(machine.space.describe(map.valueAddr(u16(0x1bb)) ?? 0n)).toBe('ports[0x1bb]');
  });

  test('a pointer to a value that is replaced keeps the old value', () => {
    const machine = newMachine(shared);
    const map = make(machine, HASH);
    map.update(u16(1), u64(1), ANY);
    const old = map.valueAddr(u16(1)) ?? 0n;
    map.update(u16(1), u64(2), ANY);
    expect(map.valueAddr(u16(1))).not.toBe(old);
    expect(machine.space.read(old, 8)).toEqual(u64(1));
  });

  test('behaves as a Map does', () => {
    const op = fc.record({
      key: fc.integer({ min: 0, max: 12 }),
      value: fc.integer({ min: 0, max: 1000 }),
      kind: fc.constantFrom('any', 'noexist', 'exist', 'delete'),
    });
    fc.assert(
      fc.property(fc.array(op, { maxLength: 80 }), (ops) => {
        const map = make(newMachine(shared), { ...HASH, maxEntries: 7 });
        const model = new Map<number, number>();
        for (const { key, value, kind } of ops) {
          const has = model.has(key);
          if (kind === 'delete') {
            expect(map.delete(u16(key))).toBe(model.delete(key) ? 0 : -ENOENT);
            continue;
          }
          const flags = { any: ANY, noexist: NOEXIST, exist: EXIST }[kind];
          let want = 0;
          if (kind === 'noexist' && has) want = -EEXIST;
          else if (kind === 'exist' && !has) want = -ENOENT;
          else if (!has && model.size === 7) want = -E2BIG;
          else model.set(key, value);
          expect(map.update(u16(key), u64(value), flags)).toBe(want);
        }
        const seen = [...map.entries()].map(([key, value]) => [
          key[0],
          Number(new BigUint64Array(value.slice().buffer)[0]),
        ]);
        expect(seen.sort()).toEqual([...model].sort());
        for (let key = 0; key <= 12; key++) {
          expect(map.lookup(u16(key))).toEqual(model.has(key) ? u64(model.get(key) ?? 0) : undefined);
        }
      }),
      { seed, numRuns: 100 },
    );
  });

  test('more values than there are windows', () => {
    const machine = newMachine(shared);
    const map = make(machine, { ...HASH, keySize: 4, maxEntries: 40_000 });
    for (let key = 0; key < 40_000; key++) expect(map.update(u32(key), u64(key), ANY)).toBe(0);
    for (const key of [0, 20_000, 39_999]) {
      expect(machine.space.read(map.valueAddr(u32(key)) ?? 0n, 8)).toEqual(u64(key));
    }
    expect(machine.space.alloc({ name: 'packet', kind: 'packet', size: 60, perm: 'rw' }).size).toBe(60);
  });
});

describe('program array', () => {
  test('takes program ids, of one program type', () => {
    const machine = newMachine();
    const map = make(machine, PROGS);
    const xdp = load(machine, EXIT, { progType: 'xdp' });
    const tc = load(machine, EXIT, { progType: 'sched_cls' });
    expect(map.update(u32(0), u32(xdp.id), ANY)).toBe(0);
    expect(map.update(u32(1), u32(tc.id), ANY)).toBe(-EINVAL);
    expect(map.update(u32(1), u32(999), ANY)).toBe(-EBADF);
    expect(map.update(u32(2), u32(xdp.id), ANY)).toBe(-E2BIG);
    expect(map.update(u32(0), u32(xdp.id), NOEXIST)).toBe(-EINVAL);
    expect([...map.entries()]).toEqual([[u32(0), u32(xdp.id)]]);
    expect([map.lookup(u32(0)), map.lookup(u32(1))]).toEqual([u32(xdp.id), undefined]);
    expect([map.delete(u32(0)), map.delete(u32(0)), map.delete(u32(2))]).toEqual([0, -ENOENT, -E2BIG]);
    expect(map.valueAddr(u32(0))).toBeUndefined();
  });
});

test.each([ARRAY, HASH, PROGS])('a frozen map ($type) cannot be changed from outside', (def) => {
  const map = make(newMachine(), def);
  map.freeze();
  expect(map.frozen).toBe(true);
  const key = new Uint8Array(def.keySize);
  expect(map.update(key, new Uint8Array(def.valueSize), ANY)).toBe(-EPERM);
  expect(map.delete(key)).toBe(-EPERM);
});

test.each([ARRAY, HASH, PROGS])(
  'a map pointer ($type) leads back to its map, other addresses do not',
  (def) => {
    const machine = newMachine();
    const map = make(machine, def);
    expect(mapAtAddr(machine, map.addr)).toBe(map);
    expect(mapAtAddr(machine, map.addr + 8n)).toBeUndefined();
    expect(mapAtAddr(machine, map.region.addr + 1n)).toBeUndefined();
    expect(mapAtAddr(machine, 0n)).toBeUndefined();
    expect(map.region.perm).toBe('none');
    expect(machine.space.regionAt(map.addr)).toBe(map.region);
  },
);

describe('layout, as inlined lookups expect it', () => {
  test('the values of an array lie 312 bytes behind the map pointer', () => {
    const machine = newMachine();
    const map = make(machine, ARRAY);
    expect(map.valueAddr(u32(0))).toBe(map.addr + 312n);
    expect(map.valueAddr(u32(2))).toBe(map.addr + 312n + 16n);
    expect(machine.space.describe(map.addr)).toBe('map counters');
    expect(machine.space.describe(map.addr + 4n)).toBe('map counters + 4');
    expect(machine.space.describe(map.addr + 312n)).toBe('values of counters');
  });

  test.each([
    [0n, 'permission', 'read of 4 bytes at map counters: programs cannot access map counters directly'],
    [76n, 'permission', 'read of 4 bytes at map counters + 76: programs cannot access map counters directly'],
    [
      308n,
      'out_of_bounds',
      'read of 4 bytes at values of counters - 4: values of counters has 24 bytes (0 … 23)',
    ],
  ])('what lies between, %d bytes behind the pointer, cannot be read', (offset, kind, message) => {
    const machine = newMachine();
    const map = make(machine, ARRAY);
    expect(accessProblem(machine.space, map.addr + offset, 4, 'read')).toMatchObject({ kind, message });
  });

  test('an element of a hash, which holds key and value, lies in front of the value', () => {
    const machine = newMachine();
    const map = make(machine, HASH);
    map.update(u16(80), u64(1), ANY);
    const elem = (map.valueAddr(u16(80)) ?? 0n) - BigInt(htabElemValue(HASH.keySize));
    expect(htabElemValue(HASH.keySize)).toBe(56);
    expect(machine.space.describe(elem)).toBe('ports[0x50] - 56');
    expect(accessProblem(machine.space, elem, 8, 'read')?.kind).toBe('out_of_bounds');
  });

  test('a map that finds no memory takes no window', () => {
    const machine = newMachine();
    const { freeWindows } = machine.space;
    const { takenBytes } = machine.memory;
    for (const nth of [0, 1]) {
      machine.memory.failAfter(nth);
      expect(createMap(machine, ARRAY)).toMatchObject({ errno: -ENOMEM });
      expect(machine.space.freeWindows).toBe(freeWindows);
      expect(machine.memory.takenBytes).toBe(takenBytes);
    }
  });
});
