import { describe, expect, test } from 'vitest';
import { kernelFunctionImm } from '#core/isa/numbering.ts';
import type { MapDef } from '#core/object/object.ts';
import { bpfProgLoad } from '#core/prog/load.ts';
import type { Machine } from '#core/vm/machine.ts';
import { attrOf, EXIT, type Slot } from './build.ts';
import { dumped, loadSlots, run } from './rewrite.ts';

const NO_DATA = new Uint8Array(8);
const imm32 = (n: number): string => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(n);
  return bytes.toString('hex');
};
const call = (name: string): string => `85000000${imm32(kernelFunctionImm(name))}`;
const map = (type: string, valueSize: number, maxEntries: number, keySize = 4): MapDef => ({
  name: 'm',
  type,
  keySize,
  valueSize,
  maxEntries,
  flags: 0,
});

/** `r0 = lookup(m, &key)`, the key a packet byte or a constant; then the value's first 8 bytes, or −1. */
const KEY: Slot[] = [
  [0x62, 10, 0, -4, 3],
  [0xbf, 2, 10],
  [0x07, 2, 0, 0, -4],
];
const MAP: Slot[] = [[0x18, 1, 1, 0, 0], [0]];
const lookup: Slot[] = [...KEY, ...MAP, [0x85, 0, 0, 0, 1], EXIT];

const bounds = (entries: number, over: number): string => `3500${imm32(over).slice(0, 4)}${imm32(entries)}`;
const shift = (by: number): string => `67000000${imm32(by)}`;
const FIRST = '0701000038010000';
const KEY_LOAD = '6120000000000000';
const ADD = '0f10000000000000';
const NOT_FOUND = ['0500010000000000', 'b700000000000000'];

describe('lookups become what the kernel makes of them', () => {
  test.each<[string, MapDef, boolean, string[]]>([
    ['array', map('array', 8, 4), true, [FIRST, KEY_LOAD, bounds(4, 3), shift(3), ADD, ...NOT_FOUND]],
    [
      'array of bytes',
      map('array', 1, 4),
      true,
      [FIRST, KEY_LOAD, bounds(4, 3), shift(3), ADD, ...NOT_FOUND],
    ],
    [
      'array of 12 bytes',
      map('array', 12, 5),
      true,
      [FIRST, KEY_LOAD, bounds(5, 3), shift(4), ADD, ...NOT_FOUND],
    ],
    [
      'array of 24 bytes',
      map('array', 24, 3),
      true,
      [FIRST, KEY_LOAD, bounds(3, 3), '2700000018000000', ADD, ...NOT_FOUND],
    ],
    [
      'array of pages',
      map('array', 4096, 2),
      true,
      [FIRST, KEY_LOAD, bounds(2, 3), shift(12), ADD, ...NOT_FOUND],
    ],
    [
      'array of more than a page',
      map('array', 5000, 2),
      true,
      [FIRST, KEY_LOAD, bounds(2, 3), '2700000088130000', ADD, ...NOT_FOUND],
    ],
    ['array of one', map('array', 8, 1), true, [FIRST, KEY_LOAD, bounds(1, 3), shift(3), ADD, ...NOT_FOUND]],
    [
      'array, unprivileged',
      map('array', 8, 5),
      false,
      [FIRST, KEY_LOAD, bounds(5, 4), '5400000007000000', shift(3), ADD, ...NOT_FOUND],
    ],
    [
      'array of 24 bytes, unprivileged',
      map('array', 24, 5),
      false,
      [FIRST, KEY_LOAD, bounds(5, 4), '5400000007000000', '2700000018000000', ADD, ...NOT_FOUND],
    ],
    [
      'array of one, unprivileged',
      map('array', 8, 1),
      false,
      [FIRST, KEY_LOAD, bounds(1, 4), '5400000000000000', shift(3), ADD, ...NOT_FOUND],
    ],
    [
      'per-CPU array',
      map('percpu_array', 12, 5),
      true,
      [FIRST, KEY_LOAD, bounds(5, 5), shift(3), ADD, '7900000000000000', 'bf00ffff00000000', ...NOT_FOUND],
    ],
    [
      'per-CPU array, unprivileged',
      map('percpu_array', 8, 5),
      false,
      [
        FIRST,
        KEY_LOAD,
        bounds(5, 6),
        '5400000007000000',
        shift(3),
        ADD,
        '7900000000000000',
        'bf00ffff00000000',
        ...NOT_FOUND,
      ],
    ],
    [
      'hash',
      map('hash', 8, 4),
      true,
      [call('__htab_map_lookup_elem'), '1500010000000000', '0700000038000000'],
    ],
    [
      'hash with keys of 13 bytes',
      map('hash', 20, 4, 13),
      true,
      [call('__htab_map_lookup_elem'), '1500010000000000', '0700000040000000'],
    ],
    [
      'per-CPU hash',
      map('percpu_hash', 20, 4, 13),
      true,
      [
        call('__htab_map_lookup_elem'),
        '1500030000000000',
        '0700000040000000',
        '7900000000000000',
        'bf00ffff00000000',
      ],
    ],
    [
      'per-CPU hash, unprivileged',
      map('percpu_hash', 8, 4),
      false,
      [
        call('__htab_map_lookup_elem'),
        '1500030000000000',
        '0700000038000000',
        '7900000000000000',
        'bf00ffff00000000',
      ],
    ],
    [
      'hash, unprivileged',
      map('hash', 8, 4),
      false,
      [call('__htab_map_lookup_elem'), '1500010000000000', '0700000038000000'],
    ],
  ])('%s', (_name, def, privileged, xlated) => {
    const loaded = loadSlots('socket_filter', lookup, [def], { settings: { privileged } });
    expect(dumped(loaded).slice(5, -1)).toEqual(xlated);
  });
});

describe('other calls', () => {
  const update: Slot[] = [
    ...KEY,
    [0xbf, 3, 10],
    [0x07, 3, 0, 0, -16],
    [0xb7, 4],
    ...MAP,
    [0x85, 0, 0, 0, 2],
    EXIT,
  ];
  const remove: Slot[] = [...KEY, ...MAP, [0x85, 0, 0, 0, 3], EXIT];
  test.each<[string, MapDef, Slot[], string]>([
    ['update of an array', map('array', 8, 4), update, 'array_map_update_elem'],
    ['update of a per-CPU array', map('percpu_array', 8, 4), update, 'array_map_update_elem'],
    ['update of a hash', map('hash', 8, 4), update, 'htab_map_update_elem'],
    ['delete in an array', map('array', 8, 4), remove, 'array_map_delete_elem'],
    ['delete in a per-CPU array', map('percpu_array', 8, 4), remove, 'array_map_delete_elem'],
    [
      "another CPU's value",
      map('percpu_array', 8, 4),
      [...KEY, ...MAP, [0xb7, 3], [0x85, 0, 0, 0, 195], EXIT],
      'percpu_array_map_lookup_percpu_elem',
    ],
    ['delete in a hash', map('hash', 8, 4), remove, 'htab_map_delete_elem'],
    ['update of a per-CPU hash', map('percpu_hash', 8, 4), update, 'htab_percpu_map_update_elem'],
    ['delete in a per-CPU hash', map('percpu_hash', 8, 4), remove, 'htab_map_delete_elem'],
    [
      "another CPU's value in a per-CPU hash",
      map('percpu_hash', 8, 4),
      [...KEY, ...MAP, [0xb7, 3], [0x85, 0, 0, 0, 195], EXIT],
      'htab_percpu_map_lookup_percpu_elem',
    ],
  ])('%s', (_name, def, slots, name) => {
    expect(dumped(loadSlots('socket_filter', slots, [def])).at(-2)).toBe(call(name));
  });

  const two: Slot[] = [
    ...KEY,
    [0x61, 6, 1],
    [0x55, 6, 0, 3, 0],
    [0x18, 1, 1, 0, 0],
    [0],
    [0x05, 0, 0, 2],
    [0x18, 1, 1, 0, 1],
    [0],
  ];
  test.each([
    [1, 'bpf_map_lookup_elem'],
    [3, 'bpf_map_delete_elem'],
  ])('of two maps: helper %i stays %s', (id, name) => {
    const loaded = loadSlots(
      'socket_filter',
      [...two, [0x85, 0, 0, 0, id], EXIT],
      [map('array', 8, 4), map('array', 8, 4)],
    );
    expect(dumped(loaded).at(-2)).toBe(call(name));
  });

  test('where something else than the map may be passed, the helper says so', () => {
    const maybe: Slot[] = [...KEY, [0xb7, 1], [0x55, 2, 0, 2, 0], ...MAP, [0x85, 0, 0, 0, 1], EXIT];
    const loaded = loadSlots('raw', maybe, [map('array', 8, 4)]);
    expect(dumped(loaded).at(-2)).toBe(call('bpf_map_lookup_elem'));
    expect(run(loaded, NO_DATA).fault).toMatchObject({ kind: 'helper_argument', pc: 7 });
  });

  test('without a compiler wanted, the helpers stay', () => {
    const loaded = loadSlots('socket_filter', lookup, [map('array', 8, 4)], {
      settings: { bpfJitEnable: 0 },
    });
    expect(dumped(loaded).at(-2)).toBe(call('bpf_map_lookup_elem'));
    const cpu = loadSlots('socket_filter', [[0x85, 0, 0, 0, 8], EXIT], [], { settings: { bpfJitEnable: 0 } });
    expect(dumped(cpu)[0]).toBe(call('bpf_get_smp_processor_id'));
  });

  test("bpf_get_smp_processor_id reads the CPU's own variable", () => {
    const loaded = loadSlots('socket_filter', [[0x85, 0, 0, 0, 8], EXIT], [], { nCpus: 4 });
    expect(dumped(loaded).slice(1)).toEqual(['bf00ffff00000000', '6100000000000000', '9500000000000000']);
    for (const cpu of [0, 1, 3]) {
      expect(run(loaded, new Uint8Array(60), { cpu })).toMatchObject({ r0: BigInt(cpu), insnsExecuted: 2n });
    }
  });
});

describe('running', () => {
  /** Looks packet byte 0 up and gives the value, or 99. */
  const body = (id: number): Slot[] => [
    [0x71, 3, 1],
    [0x7b, 10, 3, -8],
    [0xbf, 2, 10],
    [0x07, 2, 0, 0, -8],
    ...MAP,
    [0x85, 0, 0, 0, id],
    [0x55, 0, 0, 2, 0],
    [0xb7, 0, 0, 0, 99],
    EXIT,
    [0x79, 0, 0],
    EXIT,
  ];

  test.each(['array', 'percpu_array', 'hash', 'percpu_hash'])(
    'a lookup in a %s finds what is there, inlined or not',
    (type) => {
      for (const valueSize of [8, 24, 40]) {
        for (const settings of [
          {},
          { privileged: false },
          { bpfJitEnable: 0 as const },
          { bpfJitHarden: 2 as const },
        ]) {
          const loaded = loadSlots('raw', body(1), [map(type, valueSize, 5)], { settings, nCpus: 2 });
          const [own] = loaded.prog.maps;
          for (let key = 0; key < 5; key++) {
            if (type.endsWith('hash') && key === 2) continue;
            const one = new Uint8Array(valueSize).fill(key + 1, 0, 1);
            const value = type.startsWith('percpu') ? new Uint8Array([...one, ...one]) : one;
            expect(own?.update(Uint8Array.of(key, 0, 0, 0), value, 0n)).toBe(0);
          }
          for (const key of [0, 1, 2, 4, 5, 255]) {
            const found = key < 5 && !(type.endsWith('hash') && key === 2);
            const { r0, fault } = run(loaded, Uint8Array.of(key), { cpu: 1 });
            expect({ r0, fault }, `${valueSize}, key ${key}`).toEqual({
              r0: found ? BigInt(key + 1) : 99n,
              fault: undefined,
            });
          }
        }
      }
    },
  );

  test('one call is one instruction, and R1 to R5 have no value after it', () => {
    const loaded = loadSlots('raw', lookup, [map('array', 8, 4)]);
    expect(run(loaded, NO_DATA).insnsExecuted).toBe(6n);
    expect(loaded.machine.cpu(0).regInitialised & 0xffe).toBe(1 << 10);
  });

  test.each(['array', 'percpu_array', 'hash', 'percpu_hash'])(
    "a key that cannot be read: the helper's words, at the call (%s)",
    (type) => {
      const bad: Slot[] = [[0xb7, 2, 0, 0, 5], ...MAP, [0x85, 0, 0, 0, 1], EXIT];
      const { fault } = run(loadSlots('raw', bad, [map(type, 8, 4)]), NO_DATA);
      expect(fault).toMatchObject({ kind: 'helper_argument', pc: 3, address: 5n });
      expect(fault?.message).toContain('bpf_map_lookup_elem: argument 2 (key) key of map m');
    },
  );

  test("update and delete through the map's own functions", () => {
    const slots: Slot[] = [
      ...KEY,
      [0x7a, 10, 0, -16, 77],
      [0xbf, 3, 10],
      [0x07, 3, 0, 0, -16],
      [0xb7, 4],
      ...MAP,
      [0x85, 0, 0, 0, 2],
      ...KEY,
      ...MAP,
      [0x85, 0, 0, 0, 1],
      [0x79, 0, 0],
      EXIT,
    ];
    for (const type of ['array', 'hash', 'percpu_array', 'percpu_hash']) {
      expect(run(loadSlots('raw', slots, [map(type, 8, 4)]), NO_DATA).r0).toBe(77n);
    }
    const remove: Slot[] = [...KEY, ...MAP, [0x85, 0, 0, 0, 3], EXIT];
    expect(BigInt.asIntN(64, run(loadSlots('raw', remove, [map('array', 8, 4)]), NO_DATA).r0)).toBe(-22n);
    expect(BigInt.asIntN(64, run(loadSlots('raw', remove, [map('hash', 8, 4)]), NO_DATA).r0)).toBe(-2n);
  });
});

describe('tail calls', () => {
  const programs: MapDef = {
    name: 'p',
    type: 'prog_array',
    keySize: 4,
    valueSize: 4,
    maxEntries: 5,
    flags: 0,
  };
  const jump = (index: Slot): Slot[] => [
    index,
    [0x18, 2, 1, 0, 0],
    [0],
    [0x85, 0, 0, 0, 12],
    [0xb7, 0, 0, 0, 3],
    EXIT,
  ];

  test('dumps show the helper; the engine has an instruction of its own', () => {
    const loaded = loadSlots('socket_filter', jump([0xb7, 3]), [programs]);
    expect(dumped(loaded)[3]).toBe('850000000c000000');
    expect(loaded.prog.xlated[3 * 8]).toBe(0xf5);
  });

  test.each([
    ['a constant', [0xb7, 3, 0, 0, 3] as Slot],
    ['any number', [0x61, 3, 1] as Slot],
  ])('unprivileged, the index is checked and masked: %s', (_name, index) => {
    const loaded = loadSlots('socket_filter', jump(index), [programs], { settings: { privileged: false } });
    expect(dumped(loaded).slice(3, 6)).toEqual(['3503020005000000', '5403000007000000', '850000000c000000']);
  });

  test.each([true, false])('to a program, to none, past the end (privileged: %s)', (privileged) => {
    const loaded = loadSlots('raw', jump([0x79, 3, 1]), [programs], { settings: { privileged } });
    const { machine, prog } = loaded;
    const id = new Uint8Array(4);
    const other = loadInto(machine, [[0xb7, 0, 0, 0, 42], EXIT]);
    new DataView(id.buffer).setUint32(0, other, true);
    expect(prog.maps[0]?.update(Uint8Array.of(4, 0, 0, 0), id, 0n)).toBe(0);
    const at = (index: bigint): bigint => run(loaded, new Uint8Array(new BigUint64Array([index]).buffer)).r0;
    expect([at(4n), at(0n), at(5n), at(0xffff_ffffn)]).toEqual([42n, 3n, 3n, 3n]);
    // The kernel looks at 32 bits of the index, its check at all 64.
    expect(at(0x1_0000_0004n)).toBe(privileged ? 42n : 3n);
  });
});

function loadInto(machine: Machine, slots: readonly Slot[]): number {
  const loaded = bpfProgLoad(machine, attrOf('raw', slots));
  if (!loaded.ok) throw new Error(loaded.refusal.message);
  return loaded.prog.id;
}
