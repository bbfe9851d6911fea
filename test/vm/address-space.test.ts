import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BlockAllocator } from '#core/vm/allocator.ts';
import { Machine } from '#core/vm/machine.ts';
import { MemoryLimitError } from '#core/vm/memory.ts';

const seed = 0x5eed;

function machine(
  options: { shared?: boolean; maxMemory?: number; nCpus?: number; seed?: number } = {},
): Machine {
  return new Machine({ shared: false, maxMemory: 2 ** 22, ...options });
}

describe.each([false, true])('address space (shared memory: %s)', (shared) => {
  test('each object has a window of its own, in order of allocation', () => {
    const { space } = machine({ shared });
    const a = space.alloc({ name: 'a', kind: 'memory', size: 10, perm: 'rw' });
    const b = space.alloc({ name: 'b', kind: 'memory', size: 10, perm: 'rw' });
    expect(b.id).toBe(a.id + 1);
    expect(b.addr).toBe(0xffff8800_00000000n + (BigInt(b.id) << 32n));
    expect(space.regionAt(b.addr + 5n)).toBe(b);
    expect(space.byId(a.id)).toBe(a);
    expect(space.regions().slice(-2)).toEqual([a, b]);
  });

  test('regions in neighbouring windows; freed ones are used again only side by side', () => {
    const { space } = machine({ shared });
    const one = { name: 'a', kind: 'memory', size: 8, perm: 'rw' } as const;
    const [a, b, c] = space.allocAll([one, one, one]);
    expect([b?.id, c?.id]).toEqual([(a?.id ?? 0) + 1, (a?.id ?? 0) + 2]);
    const singles = Array.from({ length: space.freeWindows }, () => space.alloc(one));
    expect(space.freeWindows).toBe(0);
    for (const index of [3, 5, 7, 8]) if (singles[index] !== undefined) space.free(singles[index]);
    expect(() => space.allocAll([one, one, one])).toThrow('no 3 neighbouring windows are left');
    expect(space.allocAll([one, one]).map((region) => region.id)).toEqual([singles[7]?.id, singles[8]?.id]);
    expect(space.freeWindows).toBe(2);
    expect([space.alloc(one).id, space.alloc(one).id]).toEqual([singles[3]?.id, singles[5]?.id]);
  });

  test('no window is lost when the table cannot grow', () => {
    const { space, memory } = machine({ shared });
    const lent = { name: 'a', kind: 'memory', size: 8, perm: 'rw', base: 0 } as const;
    // Only the table takes memory for them.
    memory.failAfter(0);
    let left = space.freeWindows;
    const fill = () => {
      for (; left > 0; left = space.freeWindows) space.aliasAll([lent, lent, lent]);
    };
    expect(fill).toThrow('was told to fail');
    expect(space.freeWindows).toBe(left);
    expect(space.aliasAll([lent, lent, lent])).toHaveLength(3);
  });

  test('numbers go on after freeing; memory is used again, zeroed', () => {
    const { space } = machine({ shared });
    const a = space.alloc({ name: 'a', kind: 'memory', size: 64, perm: 'rw' });
    const { base, addr } = a;
    space.write(addr, new Uint8Array(64).fill(7));
    space.free(a);
    expect(space.read(addr, 1)).toBeUndefined();
    expect(() => space.free(a)).toThrow('region a');
    const b = space.alloc({ name: 'b', kind: 'memory', size: 64, perm: 'rw' });
    expect([b.base, b.addr]).toEqual([base, addr + (1n << 32n)]);
    expect(space.read(b.addr, 64)).toEqual(new Uint8Array(64));
  });

  test('read and write are all or nothing', () => {
    const { space } = machine({ shared });
    const a = space.alloc({ name: 'a', kind: 'memory', size: 4, perm: 'none' });
    expect(space.write(a.addr + 1n, Uint8Array.of(1, 2, 3))).toBe(true);
    expect(space.write(a.addr + 2n, Uint8Array.of(9, 9, 9))).toBe(false);
    expect(space.read(a.addr, 4)).toEqual(Uint8Array.of(0, 1, 2, 3));
    expect(space.read(a.addr + 1n, 4)).toBeUndefined();
    expect(space.read(0n, 1)).toBeUndefined();
    expect(space.read(0xffffffff_ffffffffn, 1)).toBeUndefined();
  });

  test('memory grows under existing objects', () => {
    const { space, memory } = machine({ shared, maxMemory: 2 ** 23 });
    const a = space.alloc({ name: 'a', kind: 'memory', size: 4, perm: 'rw' });
    space.write(a.addr, Uint8Array.of(1, 2, 3, 4));
    const { generation } = memory;
    const b = space.alloc({ name: 'b', kind: 'memory', size: 2 ** 22, perm: 'rw' });
    expect(memory.generation).toBeGreaterThan(generation);
    expect(space.read(a.addr, 4)).toEqual(Uint8Array.of(1, 2, 3, 4));
    expect(space.write(b.addr + 2n ** 22n - 1n, Uint8Array.of(5))).toBe(true);
  });

  test('the limit is an error that names it, and what is free can still be used', () => {
    const { space, memory } = machine({ shared, maxMemory: 2 ** 20 });
    const before = memory.takenBytes;
    expect(() => space.alloc({ name: 'a', kind: 'memory', size: 2 ** 20, perm: 'rw' })).toThrow(
      MemoryLimitError,
    );
    expect(() => space.alloc({ name: 'a', kind: 'memory', size: 2 ** 20, perm: 'rw' })).toThrow(
      /1048576 bytes do not fit: the machine has \d+ of at most 1048576 bytes in use/,
    );
    expect(memory.takenBytes).toBe(before);
    expect(space.alloc({ name: 'a', kind: 'memory', size: 2 ** 18, perm: 'rw' }).size).toBe(2 ** 18);
  });
});

describe('resize', () => {
  const packet = { name: 'packet', kind: 'packet', size: 20, perm: 'rw', headroom: 8, capacity: 24 } as const;

  test('the end moves in place, inside the capacity', () => {
    const { space } = machine();
    const region = space.alloc(packet);
    expect(space.resize(region, { size: 24 })).toBe(region);
    expect(region.size).toBe(24);
    expect(space.resize(region, { size: 25 })).toBeUndefined();
    expect(space.resize(region, { size: -1 })).toBeUndefined();
    expect(region.size).toBe(24);
  });

  test('the beginning moves to a new window, with the bytes where they were', () => {
    const { space } = machine();
    const region = space.alloc(packet);
    space.write(region.addr, Uint8Array.of(1, 2, 3));
    expect(space.headroom(region)).toBe(8);
    const moved = space.resize(region, { front: 8 });
    expect(moved?.size).toBe(28);
    expect(moved && space.read(moved.addr + 8n, 3)).toEqual(Uint8Array.of(1, 2, 3));
    expect(space.regionAt(region.addr)).toBeUndefined();
    expect(moved && space.resize(moved, { front: 1 })).toBeUndefined();
    const shrunk = moved && space.resize(moved, { front: -10 });
    expect(shrunk && [shrunk.size, space.headroom(shrunk), shrunk.addr > moved.addr]).toEqual([18, 10, true]);
    expect(shrunk && space.read(shrunk.addr, 1)).toEqual(Uint8Array.of(3));
  });
});

describe('describe', () => {
  test('names count from the origin; stacks from the frame pointer', () => {
    const { space, cpus } = machine();
    const region = space.alloc({ name: 'packet', kind: 'packet', size: 20, perm: 'rw' });
    expect(space.describe(region.addr)).toBe('packet');
    expect(space.describe(region.addr + 14n)).toBe('packet + 14');
    expect(space.describe(region.addr + 20n)).toBe('packet + 20');
    expect(space.describe(region.addr + 21n)).toBeUndefined();
    space.resize(region, { origin: 4 });
    expect(space.describe(region.addr)).toBe('packet - 4');
    expect(space.describe(region.addr + 4n)).toBe('packet');
    expect(space.describe(5n)).toBeUndefined();
    expect(cpus[0]?.stackName(0)).toBe('stack frame 0');
  });
});

describe('windows', () => {
  test('when all numbers have been out, the oldest freed ones are used again', () => {
    const { space } = machine();
    const first = space.alloc({ name: 'first', kind: 'memory', size: 8, perm: 'rw' });
    space.free(first);
    const { freeWindows } = space;
    for (let i = 1; i < freeWindows; i++)
      space.free(space.alloc({ name: 'x', kind: 'memory', size: 8, perm: 'rw' }));
    expect(space.alloc({ name: 'again', kind: 'memory', size: 8, perm: 'rw' }).id).toBe(first.id);
  });

  test('using all at once is an error; aliases leave some for others', () => {
    const { space } = machine();
    const base = space.alloc({ name: 'pool', kind: 'memory', size: 8, perm: 'rw' }).base;
    const alias = { name: 'alias', kind: 'map_value', size: 8, perm: 'rw', base } as const;
    while (space.alias(alias) !== undefined);
    expect(space.freeWindows).toBe(1024);
    for (let i = 0; i < 1024; i++) space.alloc({ name: 'x', kind: 'memory', size: 8, perm: 'rw' });
    expect(() => space.alloc({ name: 'x', kind: 'memory', size: 8, perm: 'rw' })).toThrow(
      /28671 regions at once/,
    );
  });
});

describe('block allocator', () => {
  test('blocks never overlap, stay inside and come back whole', () => {
    const step = fc.oneof(
      fc.record({ take: fc.integer({ min: 0, max: 300 }), align: fc.constantFrom(16, 64, 256) }),
      fc.record({ free: fc.nat(20) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const allocator = new BlockAllocator();
        allocator.addSpace(100, 4096);
        const out: { at: number; size: number }[] = [];
        for (const each of steps) {
          if ('free' in each) {
            const [block] = out.splice(each.free % Math.max(out.length, 1), 1);
            if (block) allocator.giveBack(block.at);
            continue;
          }
          const at = allocator.take(each.take, each.align);
          if (at === undefined) continue;
          expect(at % each.align).toBe(0);
          expect(at).toBeGreaterThanOrEqual(100);
          expect(at + each.take).toBeLessThanOrEqual(4096);
          for (const other of out)
            expect(at + each.take <= other.at || other.at + other.size <= at).toBe(true);
          out.push({ at, size: Math.max(each.take, 1) });
        }
        for (const { at } of out) allocator.giveBack(at);
        expect(allocator.takenBytes).toBe(0);
        expect(allocator.take(4096 - 112)).toBe(112);
      }),
      { seed, numRuns: 300 },
    );
  });

  test('giving back twice is an error', () => {
    const allocator = new BlockAllocator();
    allocator.addSpace(16, 64);
    const at = allocator.take(16) as number;
    allocator.giveBack(at);
    expect(() => allocator.giveBack(at)).toThrow('no block at 0x10 to free');
  });
});

describe('machine', () => {
  test('the same seed gives the same numbers, another seed or CPU others', () => {
    const draw = (of: Machine, cpu: number): number[] => Array.from({ length: 8 }, () => of.random.next(cpu));
    expect(draw(machine({ seed: 7 }), 0)).toEqual(draw(machine({ seed: 7 }), 0));
    expect(draw(machine({ seed: 7 }), 0)).not.toEqual(draw(machine({ seed: 8 }), 0));
    const two = machine({ nCpus: 2 });
    expect(draw(two, 0)).not.toEqual(draw(two, 1));
    for (const n of draw(two, 0)) expect(n >>> 0).toBe(n);
  });

  test('CPUs have stacks of their own', () => {
    const { cpus } = machine({ nCpus: 3 });
    const ids = cpus.flatMap((cpu) => Array.from({ length: 8 }, (_, depth) => cpu.stackRegionId(depth)));
    expect(new Set(ids).size).toBe(24);
  });

  test.each([0, 65, 1.5])('%d CPUs are refused', (nCpus) => {
    expect(() => machine({ nCpus })).toThrow(`a machine has 1 … 64 CPUs, not ${nCpus}`);
  });

  test('a CPU that is not there, a program that is not loaded', () => {
    expect(() => machine().cpu(1)).toThrow('CPU 1: the machine has 1');
    expect(() => machine().cpu(0).prog).toThrow('CPU 0 is not in a program');
  });

  test('the output keeps the last 10,000 lines', () => {
    const of = machine();
    for (let i = 0; i < 10_005; i++) of.print(`line ${i}\n`);
    expect([of.output.length, of.output[0], of.output.at(-1)]).toEqual([10_000, 'line 5', 'line 10004']);
    // a program may print for as long as it runs: with splice this took half a minute
    const start = performance.now();
    for (let i = 0; i < 200_000; i++) of.print('more');
    expect(performance.now() - start).toBeLessThan(5000);
  });
});
