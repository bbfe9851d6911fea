import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Engine } from '#core/interp/engine.ts';
import { TABLE_ROWS } from '#core/isa/decode.ts';
import { checkProgram } from '#core/prog/check.ts';
import { analyseKinds } from '#core/prog/kinds.ts';
import { bpfProgFree, bpfProgLoad } from '#core/prog/load.ts';
import { ENGINES } from '#core/session/engines.ts';
import { runProgram } from '#core/session/run.ts';
import { Machine } from '#core/vm/machine.ts';
import { arrayMap, attrOf, bytesOf, EXIT, R0_0, type Slot } from './build.ts';

const TYPES = ['xdp', 'socket_filter', 'sched_cls', 'raw'] as const;

/** Slots that are often legal: an opcode of the table, registers and small numbers. */
const slot: fc.Arbitrary<Slot> = fc
  .tuple(
    fc.constantFrom(...TABLE_ROWS),
    fc.integer({ min: 0, max: 10 }),
    fc.integer({ min: 0, max: 10 }),
    fc.oneof(fc.integer({ min: -4, max: 12 }), fc.constantFrom(-8, -16, -512, 76, 80, 152)),
    fc.oneof(fc.integer({ min: -2, max: 14 }), fc.integer()),
  )
  .map(([row, dst, src, off, imm]): Slot => {
    const pick = (field: unknown, value: number): number => (typeof field === 'number' ? field : value);
    return [row.opcode, pick(row.dst, dst), pick(row.src, src), pick(row.off, off), pick(row.imm, imm)];
  });

const program = fc.array(slot, { minLength: 1, maxLength: 30 }).map((slots) => {
  // A wide instruction needs its second slot, or most programs end there.
  const whole = slots.flatMap((each): Slot[] => (each[0] === 0x18 ? [each, [0, 0, 0, 0, 0]] : [each]));
  return bytesOf([R0_0, ...whole, EXIT]);
});

test('random bytes are refused or loaded, never thrown at', () => {
  const machine = new Machine({ shared: false });
  const before = machine.memory.takenBytes;
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 160 }), fc.constantFrom(...TYPES), (bytes, type) => {
      const loaded = bpfProgLoad(machine, attrOf(type, bytes, { maps: [arrayMap('m')] }));
      if (loaded.ok) bpfProgFree(machine, loaded.prog);
      expect(machine.memory.takenBytes).toBe(before);
    }),
    { seed: 10, numRuns: 3000 },
  );
});

test.each(ENGINES)('random instructions load, run and end on $name; what is refused says why', (engine) => {
  let loadedCount = 0;
  const machine = new Machine({ shared: false });
  fc.assert(
    fc.property(program, fc.constantFrom(...TYPES), fc.uint8Array({ maxLength: 40 }), (bytes, type, data) => {
      const loaded = bpfProgLoad(machine, attrOf(type, bytes, { maps: [arrayMap('m')] }));
      if (!loaded.ok) {
        expect(loaded.refusal.message).not.toBe('');
        return;
      }
      loadedCount++;
      const result = runProgram(machine, loaded.prog, engine, { data }, { maxInsns: 2000 });
      expect(result.fault ? result.fault.message : 'exit').not.toBe('');
      bpfProgFree(machine, loaded.prog);
    }),
    { seed: 11, numRuns: 3000 },
  );
  console.log(`${loadedCount} of 3000 random programs were loaded and run`);
  expect(loadedCount).toBeGreaterThan(50);
});

test('however a program is rewritten, it does the same, and gives everything back', () => {
  const ways = [{}, { bpfJitHarden: 2 }, { privileged: false }, { bpfJitEnable: 0 }] as const;
  const outcome = (
    bytes: Uint8Array,
    type: (typeof TYPES)[number],
    settings: (typeof ways)[number],
    engine: Engine,
  ): string => {
    const machine = new Machine({ shared: false, nCpus: 2, settings });
    // The first program that asks for its CPU lays the per-CPU variables out, for good.
    machine.perCpu();
    const before = machine.memory.takenBlocks;
    const loaded = bpfProgLoad(machine, attrOf(type, bytes, { maps: [arrayMap('m')] }));
    let told = loaded.ok ? '' : `${loaded.refusal.pc} ${loaded.refusal.message}`;
    if (loaded.ok) {
      const input = { data: new Uint8Array(40).fill(7) };
      const { r0, insnsExecuted, fault, dataOut } = runProgram(machine, loaded.prog, engine, input, {
        cpu: 1,
        maxInsns: 2000,
      });
      told = [r0, insnsExecuted, fault?.kind, fault?.pc, fault?.message, dataOut].join(' ');
      bpfProgFree(machine, loaded.prog);
    }
    expect(machine.memory.takenBlocks).toBe(before);
    expect(machine.progAccount).toEqual({ pages: 0, objects: 0 });
    return told;
  };
  fc.assert(
    fc.property(program, fc.constantFrom(...TYPES), (bytes, type) => {
      const [plain, ...others] = ways.flatMap((settings) =>
        ENGINES.map((engine) => outcome(bytes, type, settings, engine)),
      );
      for (const other of others) expect(other).toBe(plain);
    }),
    { seed: 12, numRuns: 500 },
  );
}, 60_000);

/** Programs made to keep the data-flow pass busy. Counts of states, not times, would be another test. */
const n = 20_000;
const hostile: readonly [string, (i: number) => Slot][] = [
  [
    'branches back and forth',
    (i) => [0x15, 1, 0, i % 2 ? Math.max(-i, -3000) : Math.min(3000, n - i - 1), i],
  ],
  [
    'every slot spilled between branches',
    (i) => (i % 2 ? [0x7b, 10, 1, -8 * (1 + (i % 64))] : [0x15, 1, 0, 0, 1]),
  ],
  [
    'loops over spills',
    (i) => (i % 2 ? [0x7b, 10, 1, -8 * (1 + (i % 64))] : [0x15, 1, 0, Math.max(-i, -2000), 1]),
  ],
  [
    'pointers that move in loops',
    (i) => (i % 2 ? [0x07, 1 + (i % 5), 0, 0, 4] : [0x15, 2, 0, Math.max(-i, -500), 1]),
  ],
  ['many calls', (i) => (i % 2 ? EXIT : [0x85, 0, 1, 0, i + 3 < 500 ? 1 : (i % 250) * 2 - i - 1])],
];

test.each(hostile)('%s: the data-flow pass ends', (_, make) => {
  const bytes = bytesOf([...Array.from({ length: n }, (_, i) => make(i)), R0_0, EXIT]);
  const refusal = checkProgram(bytes, { progType: 'sched_cls', nMaps: 0 });
  expect(refusal).toBeUndefined();
  const { subprogs } = analyseKinds(bytes, { progType: 'sched_cls', maps: [] });
  expect(subprogs.length).toBeGreaterThan(0);
});
