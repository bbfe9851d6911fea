import { describe, expect, test } from 'vitest';
import { bpfProgFree, bpfProgLoad } from '#core/prog/load.ts';
import { readStats } from '#core/prog/stats.ts';
import { Machine } from '#core/vm/machine.ts';
import type { BpfMap } from '#core/vm/map.ts';
import { arrayMap, attrOf, EXIT, R0_0, type Slot } from './build.ts';

const LDDW_MAP = (dst: number, index: number): Slot[] => [[0x18, dst, 1, 0, index], [0]];

function account(machine: Machine) {
  return {
    bytes: machine.memory.takenBytes,
    regions: machine.space.regions().length,
    maps: machine.maps.size,
    progs: machine.progs.size,
  };
}

describe('loading', () => {
  test('gives ids, maps, a breakpoint byte a rewritten slot, and orig_idx', () => {
    const machine = new Machine({ shared: false });
    // r0 = ctx->ingress_ifindex becomes three instructions.
    const attr = attrOf('xdp', [[0x61, 0, 1, 12], ...LDDW_MAP(2, 0), EXIT], { maps: [arrayMap('m')] });
    const loaded = bpfProgLoad(machine, attr);
    if (!loaded.ok) throw new Error(loaded.refusal.message);
    const { prog } = loaded;
    expect(machine.progs.get(prog.id)).toBe(prog);
    expect(prog.maps.map((map) => map.def.name)).toEqual(['m']);
    expect([...prog.origIdx]).toEqual([0, 0, 0, 1, 2, 3]);
    expect([...prog.firstXlated]).toEqual([0, 3, 4, 5, 6]);
    expect(prog.breakpoints.bytes.length).toBe(6);
    // The map load holds the machine's id of the map.
    expect(new DataView(prog.xlated.buffer).getInt32(3 * 8 + 4, true)).toBe(prog.maps[0]?.id);
    expect(prog.insns).toEqual(attr.insns);
    expect(prog.pages).toBe(1);
  });

  test('a map named by its index in the array of fds is loaded as one named by its fd', () => {
    const machine = new Machine({ shared: false });
    const slots = (map: number, value: number): Slot[] => [
      ...[[0x18, 2, map, 0, 1] as Slot, [0] as Slot],
      ...[[0x18, 3, value, 0, 0] as Slot, [0, 0, 0, 0, 4] as Slot],
      ...[R0_0, EXIT],
    ];
    const maps = [arrayMap('m'), arrayMap('n')];
    let given: readonly BpfMap[] = [];
    const [byIndex, byFd] = [slots(5, 6), slots(1, 2)].map((code) => {
      const loaded = bpfProgLoad(machine, attrOf('raw', code, { maps }), { maps: given });
      if (!loaded.ok) throw new Error(loaded.refusal.message);
      given = loaded.prog.maps;
      return loaded.prog;
    });
    expect(byIndex?.xlated).toEqual(byFd?.xlated);
    expect(byIndex?.insns).not.toEqual(byFd?.insns);
    const view = new DataView(byFd?.xlated.buffer ?? new ArrayBuffer(0));
    expect([0, 2].map((slot) => view.getInt32(slot * 8 + 4, true))).toEqual(
      [1, 0].map((map) => given[map]?.id),
    );
  });

  test('moves line info and function starts with the instructions', () => {
    const machine = new Machine({ shared: false });
    const code: Slot[] = [[0x85, 0, 1, 0, 2], [0x61, 0, 1, 12], EXIT, [0x61, 0, 1, 16], EXIT];
    const lineInfo = code.map((_, i) => ({ insnOff: i, file: 0, line: i + 1, column: 1 }));
    const funcs = [
      { insnOff: 0, name: 'main' },
      { insnOff: 3, name: 'queue' },
    ];
    code[1] = [0xbf, 6, 0];
    const loaded = bpfProgLoad(machine, attrOf('xdp', code, { lineInfo, funcs }));
    if (!loaded.ok) throw new Error(loaded.refusal.message);
    const { prog } = loaded;
    expect(prog.subprogs).toMatchObject([
      { name: 'main', start: 0, end: 3 },
      { name: 'queue', start: 3, end: 6 },
    ]);
    expect(prog.xlatedLineInfo.map((line) => line.insnOff)).toEqual([0, 1, 2, 3, 5]);
  });

  test('a program that is freed leaves nothing behind, and cannot be freed twice', () => {
    const machine = new Machine({ shared: false });
    const before = account(machine);
    const loaded = bpfProgLoad(
      machine,
      attrOf('raw', [R0_0, EXIT], { maps: [arrayMap('a'), arrayMap('b')] }),
    );
    if (!loaded.ok) throw new Error(loaded.refusal.message);
    expect(account(machine)).not.toEqual(before);
    bpfProgFree(machine, loaded.prog);
    expect(account(machine)).toEqual(before);
    expect(() => bpfProgFree(machine, loaded.prog)).toThrow('freed before');
  });

  test('maps that are handed in are used, and stay when the program goes', () => {
    const machine = new Machine({ shared: false });
    const first = bpfProgLoad(machine, attrOf('raw', [R0_0, EXIT], { maps: [arrayMap('m')] }));
    if (!first.ok) throw new Error(first.refusal.message);
    const { maps } = first.prog;
    const second = bpfProgLoad(machine, attrOf('raw', [R0_0, EXIT], { maps: [arrayMap('m')] }), { maps });
    if (!second.ok) throw new Error(second.refusal.message);
    expect(second.prog.maps).toEqual(maps);
    bpfProgFree(machine, second.prog);
    expect(machine.maps.size).toBe(1);
  });

  test.each([
    ['a bad opcode', attrOf('xdp', [[0xff], EXIT], { maps: [arrayMap('m')] }), 'unknown opcode ff'],
    [
      'a context access',
      attrOf('xdp', [[0x61, 0, 1, 20], EXIT], { maps: [arrayMap('m')] }),
      'invalid bpf_context access off=20 size=4',
    ],
    [
      'a map type',
      attrOf('raw', [R0_0, EXIT], { maps: [arrayMap('m'), { ...arrayMap('n'), type: 'lpm_trie' }] }),
      'lpm_trie',
    ],
    [
      'a map of a bad size',
      attrOf('raw', [R0_0, EXIT], { maps: [arrayMap('m'), arrayMap('n', 0)] }),
      'value_size',
    ],
    [
      'a map too large for the machine',
      attrOf('raw', [R0_0, EXIT], { maps: [arrayMap('m'), arrayMap('n', 4096, 2 ** 20)] }),
      'bytes',
    ],
  ])('refused for %s: says why and leaves nothing behind', (_, attr, text) => {
    const machine = new Machine({ shared: false, maxMemory: 2 ** 22 });
    const before = account(machine);
    const loaded = bpfProgLoad(machine, attr);
    expect(loaded.ok ? '' : loaded.refusal.message).toContain(text);
    expect(account(machine)).toEqual(before);
  });

  test('every failing allocation gives back what was taken before it', () => {
    const attr = attrOf('xdp', [R0_0, EXIT], { maps: [arrayMap('a'), { ...arrayMap('b'), type: 'hash' }] });
    let failures = 0;
    for (let nth = 0; ; nth++) {
      const machine = new Machine({ shared: false });
      const before = account(machine);
      const { memory } = machine;
      const alloc = memory.alloc.bind(memory);
      let left = nth;
      memory.alloc = (size, align) => {
        if (left-- === 0) return alloc(2 ** 40);
        return alloc(size, align);
      };
      const loaded = bpfProgLoad(machine, attr);
      memory.alloc = alloc;
      if (loaded.ok) break;
      failures++;
      expect(account(machine), `allocation ${nth}`).toEqual(before);
    }
    expect(failures).toBeGreaterThan(6);
  });

  test('statistics begin at 0 on every CPU', () => {
    const machine = new Machine({ shared: false, nCpus: 3 });
    const loaded = bpfProgLoad(machine, attrOf('raw', [R0_0, EXIT]));
    if (!loaded.ok) throw new Error(loaded.refusal.message);
    const zero = { cnt: 0n, nsecs: 0n, misses: 0n, insns: 0n };
    expect(readStats(machine, loaded.prog)).toEqual([0, 1, 2].map((cpu) => ({ cpu, ...zero })));
  });
});
