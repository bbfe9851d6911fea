import { describe, expect, test } from 'vitest';
import { createMap, freeMap, isRefusal } from '#core/maps/create.ts';
import { E2BIG, EEXIST, EINVAL, EPERM } from '#core/maps/errno.ts';
import type { MapDef } from '#core/object/object.ts';
import { MAX_CPUS } from '#core/vm/layout.ts';
import { EXIT, insn, newMachine, runSlots } from '../interp/build.ts';
import { helperOn, make, signed, u32, u64s } from './percpu.ts';

const ANY = 0n;
const HITS: MapDef = {
  name: 'hits',
  type: 'percpu_array',
  keySize: 4,
  valueSize: 8,
  maxEntries: 3,
  flags: 0,
};

describe('from outside: the values of all CPUs', () => {
  test('each takes round_up(value_size, 8) bytes, and all of them are kept', () => {
    const { map } = make({ ...HITS, valueSize: 5 }, 2);
    expect(map.lookup(u32(0))).toEqual(new Uint8Array(16));
    const all = Uint8Array.from({ length: 16 }, (_, i) => i + 1);
    expect(map.update(u32(1), all, ANY)).toBe(0);
    expect(map.lookup(u32(1))).toEqual(all);
    expect([...map.entries()]).toEqual([
      [u32(0), new Uint8Array(16)],
      [u32(1), all],
      [u32(2), new Uint8Array(16)],
    ]);
    expect(map.update(u32(1), new Uint8Array(5), ANY)).toBe(-EINVAL);
  });

  test.each([
    ['NOEXIST', 1n, 1, -EEXIST],
    ['EXIST', 2n, 1, 0],
    ['NOEXIST | EXIST', 3n, 1, -EINVAL],
    ['F_LOCK', 4n, 1, -EINVAL],
    ['F_LOCK | NOEXIST', 5n, 1, -EINVAL],
    ['unknown', 8n, 1, -EINVAL],
    ['no such index', 0n, 3, -E2BIG],
  ])('update: %s', (_, flags, index, errno) => {
    expect(make(HITS, 2).map.update(u32(index), u64s(1, 2), flags)).toBe(errno);
  });

  test('nothing is deleted; what is not there is not found; a frozen one stays', () => {
    const { map } = make(HITS, 2);
    expect([map.delete(u32(0)), map.delete(u32(9))]).toEqual([-EINVAL, -EINVAL]);
    expect([map.lookup(u32(3)), map.valueAddr(u32(3)), map.valueAddr(u32(0), 2)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    map.freeze();
    expect([map.update(u32(0), u64s(1, 2), ANY), map.delete(u32(0))]).toEqual([-EPERM, -EPERM]);
  });

  test('an initial entry of one value is that of every CPU', () => {
    const entries = [
      { key: u32(1), value: u64s(7) },
      { key: u32(2), value: u64s(1, 2) },
    ];
    const { map } = make({ ...HITS, entries }, 2);
    expect([map.lookup(u32(1)), map.lookup(u32(2))]).toEqual([u64s(7, 7), u64s(1, 2)]);
  });
});

describe('creating', () => {
  test.each<[string, Partial<MapDef>, number, string]>([
    ['a key of 8 bytes', { keySize: 8 }, EINVAL, 'key_size is 8'],
    ['a value larger than a per-CPU allocation', { valueSize: 32769 }, E2BIG, 'at most 32768 bytes'],
    ['BPF_F_MMAPABLE', { flags: 0x400 }, EINVAL, 'flags 0x400 are not for maps of type percpu_array'],
    ['BPF_F_NUMA_NODE', { flags: 4 }, EINVAL, 'flags 0x4 are not for maps of type percpu_array'],
  ])('%s is refused', (_, change, errno, message) => {
    const refusal = createMap(newMachine({ nCpus: 2 }), { ...HITS, ...change });
    expect(refusal).toMatchObject({ errno: -errno, message: expect.stringContaining(message) });
  });

  test('gives everything back, also when memory runs out on the way', () => {
    const machine = newMachine({ nCpus: 4 });
    machine.perCpu();
    const before = [machine.space.freeWindows, machine.memory.takenBytes, machine.memory.takenBlocks];
    for (let nth = 0; nth < 6; nth++) {
      machine.memory.failAfter(nth);
      const map = createMap(machine, HITS);
      expect(isRefusal(map)).toBe(nth < 6);
      expect([machine.space.freeWindows, machine.memory.takenBytes, machine.memory.takenBlocks]).toEqual(
        before,
      );
    }
    machine.memory.failAfter(undefined);
    const map = createMap(machine, HITS);
    if (isRefusal(map)) throw new Error(map.message);
    expect(machine.memory.takenBlocks).toBe((before[2] ?? 0) + 6);
    freeMap(machine, map);
    expect([machine.space.freeWindows, machine.memory.takenBytes, machine.memory.takenBlocks]).toEqual(
      before,
    );
  });

  test('with as many CPUs as a machine can have', () => {
    const { map } = make(HITS, MAX_CPUS);
    expect(map.lookup(u32(2))?.length).toBe(8 * MAX_CPUS);
  });
});

describe('from a program: the value of its CPU', () => {
  test.each([0, 1])('update and lookup on CPU %d', (cpu) => {
    const { machine, map } = make(HITS, 2);
    map.update(u32(1), u64s(11, 22), ANY);
    const update = [...helperOn(map, 2, 1), ...EXIT];
    expect(signed(runSlots(update, { machine, cpu }))).toBe(0);
    expect(map.lookup(u32(1))).toEqual(cpu === 0 ? u64s(77, 22) : u64s(11, 77));
    const lookup = [...helperOn(map, 1, 1), ...insn('ldxdw', { dst: 0, src: 0 }), ...EXIT];
    expect(runSlots(lookup, { machine, cpu }).r0).toBe(77n);
    expect(runSlots(lookup, { machine, cpu: 1 - cpu }).r0).toBe(cpu === 0 ? 22n : 11n);
  });

  test('only value_size bytes are written', () => {
    const { machine, map } = make({ ...HITS, valueSize: 5 }, 1);
    map.update(u32(0), new Uint8Array(8).fill(0xff), ANY);
    runSlots([...helperOn(map, 2, 0), ...EXIT], { machine });
    expect(map.lookup(u32(0))).toEqual(Uint8Array.of(77, 0, 0, 0, 0, 0xff, 0xff, 0xff));
  });

  // As measured on 6.18; F_LOCK | NOEXIST differs from what bpf(2) says.
  test.each([
    ['NOEXIST', 1, 1, -EEXIST],
    ['EXIST', 2, 1, 0],
    ['NOEXIST | EXIST', 3, 1, -EINVAL],
    ['F_LOCK', 4, 1, -EINVAL],
    ['F_LOCK | NOEXIST', 5, 1, -EEXIST],
    ['unknown', 8, 1, -EINVAL],
    ['no such index', 0, 9, -E2BIG],
  ])('update: %s', (_, flags, index, errno) => {
    const { machine, map } = make(HITS, 2);
    expect(signed(runSlots([...helperOn(map, 2, index, flags), ...EXIT], { machine }))).toBe(errno);
  });

  test('delete, a lookup that finds nothing', () => {
    const { machine, map } = make(HITS, 2);
    expect(signed(runSlots([...helperOn(map, 3, 0), ...EXIT], { machine }))).toBe(-EINVAL);
    expect(runSlots([...helperOn(map, 1, 3), ...EXIT], { machine }).r0).toBe(0n);
  });

  test.each([
    [0, 11n],
    [1, 22n],
    [2, 0n],
    [-1, 0n],
  ])('bpf_map_lookup_percpu_elem, CPU %d', (cpu, value) => {
    const { machine, map } = make(HITS, 2);
    map.update(u32(1), u64s(11, 22), ANY);
    const slots = [
      ...helperOn(map, 1, 1).slice(0, -1),
      ...insn('mov64_imm', { dst: 3, imm: cpu }),
      ...insn('call_helper', { imm: 195 }),
      ...insn('jeq64_imm', { dst: 0, imm: 0, off: 1 }),
      ...insn('ldxdw', { dst: 0, src: 0 }),
      ...EXIT,
    ];
    expect(runSlots(slots, { machine }).r0).toBe(value);
  });

  test('bpf_map_lookup_percpu_elem refuses other maps', () => {
    const { machine, map } = make({ ...HITS, type: 'array' }, 2);
    const ran = runSlots([...helperOn(map, 195, 1), ...EXIT], { machine });
    expect(ran.stop).toMatchObject({
      fault: {
        kind: 'helper_argument',
        message:
          'bpf_map_lookup_percpu_elem: argument 1 (map) is hits, a map of type array; it must be a per-CPU map',
      },
    });
  });
});

describe('layout, as inlined lookups expect it', () => {
  test.each([0, 1, 2])('pptrs lie 312 bytes behind the map pointer; on CPU %d', (cpu) => {
    const { machine, map } = make(HITS, 3);
    map.update(u32(2), u64s(5, 6, 7), ANY);
    const slots = [
      ...insn('lddw_map_fd', { dst: 1, imm: map.id }),
      ...insn('add64_imm', { dst: 1, imm: 312 }),
      ...insn('ldxdw', { dst: 0, src: 1, off: 16 }),
      ...insn('mov64_percpu', { dst: 0, src: 0 }),
    ];
    expect(runSlots([...slots, ...EXIT], { machine, cpu }).r0).toBe(map.valueAddr(u32(2), cpu));
    const read = insn('ldxdw', { dst: 0, src: 0 });
    expect(runSlots([...slots, ...read, ...EXIT], { machine, cpu }).r0).toBe(BigInt(5 + cpu));
  });

  test('the copies of a value are 2^32 apart, and say whose they are', () => {
    const { machine, map } = make(HITS, 2);
    const first = map.valueAddr(u32(1), 0) ?? 0n;
    expect(map.valueAddr(u32(1), 1)).toBe(first + (1n << 32n));
    expect(machine.space.describe(first)).toBe('values of hits on CPU 0 + 8');
    expect(machine.space.describe(map.addr)).toBe('map hits');
    const slots = [
      ...insn('lddw_map_fd', { dst: 1, imm: map.id }),
      ...insn('ldxw', { dst: 0, src: 1, off: 76 }),
      ...EXIT,
    ];
    expect(runSlots(slots, { machine }).stop).toMatchObject({
      fault: { message: 'read of 4 bytes at map hits + 76: programs cannot access map hits directly' },
    });
  });
});
