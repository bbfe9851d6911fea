import { describe, expect, test } from 'vitest';
import { createMap } from '#core/maps/create.ts';
import type { ProgType } from '#core/object/object.ts';
import { bpfProgFree, bpfProgLoad } from '#core/prog/load.ts';
import type { Machine } from '#core/vm/machine.ts';
import type { BpfMap } from '#core/vm/map.ts';
import { attrOf, EXIT, R0_0, type Slot } from './build.ts';
import { account, calls, machineOf } from './shells.ts';

const ARRAY = { name: 'jumps', type: 'prog_array', keySize: 4, valueSize: 4, maxEntries: 4, flags: 0 };

function arrayOf(machine: Machine): BpfMap {
  const map = createMap(machine, ARRAY);
  if ('errno' in map) throw new Error(map.message);
  return map;
}

function load(machine: Machine, progType: ProgType, map?: BpfMap, jited = false) {
  const attr = attrOf(progType, [R0_0, EXIT], map === undefined ? {} : { maps: [ARRAY] });
  const funcs = [{ image: 0xffff_ffff_c000_0000n, length: 8, insnToJitOff: [4, 8] }];
  return bpfProgLoad(machine, attr, {
    maps: [map],
    ...(jited ? { jit: () => ({ ok: true, arch: 'x86-64', funcs }) as const } : {}),
  });
}

test('the first program that uses an array decides for what programs it is', () => {
  const machine = machineOf();
  const map = arrayOf(machine);
  expect(load(machine, 'xdp', map).ok).toBe(true);
  const before = account(machine);
  const refused = load(machine, 'sched_cls', map);
  expect(refused.ok ? '' : refused.refusal.message).toBe(
    'map jumps is for programs of type xdp; this one is sched_cls (EINVAL)',
  );
  expect(account(machine)).toEqual(before);
  expect(load(machine, 'xdp', map).ok).toBe(true);
  expect(calls(machine)).toContain('bpf_prog_map_compatible');
});

test('a program that is put in decides too, and others cannot be put in', () => {
  const machine = machineOf();
  const map = arrayOf(machine);
  const key = new Uint8Array(4);
  const idOf = (progType: ProgType): Uint8Array => {
    const loaded = load(machine, progType);
    if (!loaded.ok) throw new Error(loaded.refusal.message);
    return new Uint8Array(Uint32Array.of(loaded.prog.id).buffer);
  };
  expect(map.update(key, idOf('sched_cls'), 0n)).toBe(0);
  expect(map.update(key, idOf('xdp'), 0n)).toBe(-22);
  expect(load(machine, 'xdp', map).ok).toBe(false);
  expect(load(machine, 'sched_cls', map).ok).toBe(true);
});

test('native and interpreted programs do not call each other', () => {
  const machine = machineOf();
  const map = arrayOf(machine);
  const first = load(machine, 'xdp', map, true);
  expect(first.ok).toBe(true);
  const refused = load(machine, 'xdp', map);
  expect(refused.ok ? '' : refused.refusal.message).toContain('for programs of type xdp, native');
  if (first.ok) bpfProgFree(machine, first.prog);
});

describe('refused after another object has taken the place of the one that was allocated', () => {
  /** Each load of ingress_ifindex becomes three: more than a page. */
  const GROWING: readonly Slot[] = [
    [0xbf, 6, 1],
    ...Array.from({ length: 300 }, (): Slot => [0x61, 0, 6, 12]),
    R0_0,
    EXIT,
  ];

  test.each<[string, 0 | 2, readonly Slot[]]>([
    ['by blinding', 2, [[0xb7, 0, 0, 0, 5], EXIT]],
    ['by growing', 0, GROWING],
    ['by both', 2, GROWING],
  ])('%s: everything is given back', (_, bpfJitHarden, code) => {
    const machine = machineOf({ bpfJitHarden });
    const map = arrayOf(machine);
    expect(load(machine, 'sched_cls', map).ok).toBe(true);
    const before = account(machine);
    const attr = attrOf('xdp', code, { maps: [ARRAY] });
    expect(bpfProgLoad(machine, attr, { maps: [map] }).ok).toBe(false);
    expect(account(machine)).toEqual(before);
    // Also when memory runs out at any place on the way.
    for (let nth = 0; nth < 20; nth++) {
      machine.memory.failAfter(nth);
      expect(bpfProgLoad(machine, attr, { maps: [map] }).ok).toBe(false);
      machine.memory.failAfter(undefined);
      expect(account(machine), `allocation ${nth}`).toEqual(before);
    }
  });
});
