import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { prepareInput } from '#core/ctx/setup.ts';
import type { Engine } from '#core/interp/engine.ts';
import { reference } from '#core/interp/reference.ts';
import { interp } from '#core/interp-wasm/interp.ts';
import { TABLE_ROWS } from '#core/isa/decode.ts';
import type { Insn } from '#core/isa/insn.ts';
import { createMap } from '#core/maps/create.ts';
import type { MapDef } from '#core/object/object.ts';
import { Machine } from '#core/vm/machine.ts';
import type { BpfMap } from '#core/vm/map.ts';
import { underTest } from '../engines.ts';
import { enterGenerated } from '../kernel/enter-generated.ts';
import { anyRecipe } from '../kernel/recipe.ts';
import { unhex } from '../prog/build.ts';
import { furtherVectors, loadVector, vectors } from '../prog/vectors.ts';
import { encode, load } from './build.ts';
import { breakpointSlots, countEnd, legsOf, setBreakpoints } from './legs.ts';
import { runInStep } from './whole-state.ts';

const seed = Number(process.env.FUZZ_SEED ?? 0x1d3);
/** Programs of instructions that nobody has checked, and of those that a verifier would take. */
/** A compiler has its turn in test/agreement too. */
const N_RAW = Number(process.env.FUZZ_PROGRAMS ?? (underTest.engine === reference ? 5000 : 2000));
const N_LOADED = N_RAW / 10;
/** Milliseconds: several times what a machine with other work to do was seen to take. */
const TIMEOUT = 120_000 + 20 * N_RAW;

vi.setConfig({ testTimeout: TIMEOUT });

/** The engine that is compared with the reference engine. */
const compared: Engine = underTest.engine === reference ? interp : underTest.engine;
const ENGINES = [reference, compared] as const;

const legs = legsOf({ among: [...ENGINES, compared], last: [compared] });

describe('instructions that nobody has checked', () => {
  const maps: MapDef[] = [
    { name: 'a', type: 'array', keySize: 4, valueSize: 16, maxEntries: 3, flags: 0 },
    { name: 'h', type: 'hash', keySize: 4, valueSize: 8, maxEntries: 4, flags: 0 },
    { name: 'p', type: 'prog_array', keySize: 4, valueSize: 4, maxEntries: 4, flags: 0 },
  ];
  const newWorld = (shared: boolean) => {
    const machine = new Machine({ shared, nCpus: 2, maxMemory: 2 ** 25 });
    const made = maps.map((def) => createMap(machine, def) as BpfMap);
    const memory = machine.space.alloc({ name: 'memory', kind: 'memory', size: 64, perm: 'rw' });
    const constant = machine.space.alloc({ name: 'constant', kind: 'memory', size: 24, perm: 'r' });
    const hidden = machine.space.alloc({ name: 'hidden', kind: 'kernel', size: 8, perm: 'none' });
    machine.perCpu();
    return { machine, made, memory, constant, hidden };
  };
  const world = newWorld(false);
  // Made once: what one program leaves behind the next one finds, on both.
  let worlds = [world, newWorld(true)];
  const fp = world.machine.cpu(0).stackRegionId(0);
  const stack = 0xffff8800_00000000n + (BigInt(fp) << 32n) + 512n;
  const pointers = [world.memory, world.constant, world.hidden].map(({ addr }) => addr);
  const value = fc.oneof(
    {
      arbitrary: fc
        .tuple(fc.constantFrom(...pointers, stack - 64n), fc.integer({ min: -4, max: 60 }))
        .map(([p, n]) => p + BigInt(n)),
      weight: 4,
    },
    fc.constantFrom(
      ...world.made.map(({ addr }) => addr),
      0n,
      1n,
      2n,
      1n << 63n,
      (1n << 64n) - 1n,
      1n << 31n,
    ),
    fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  );
  const slots: fc.Arbitrary<Insn[]> = fc
    .tuple(
      fc.constantFrom(...TABLE_ROWS),
      fc.integer({ min: 0, max: 9 }),
      fc.integer({ min: 0, max: 10 }),
      fc.oneof(fc.integer({ min: -5, max: 9 }), fc.constantFrom(-8, -16, -64, 32, 60, 32767, -32768)),
      fc.oneof(fc.integer({ min: -3, max: 9 }), fc.constantFrom(12, 0x40, 0x41, 0xe1, 0xf1), fc.integer()),
      fc.integer({ min: -2, max: 3 }),
    )
    .map(([row, dst, src, off, imm, hi]) => {
      const pick = (field: unknown, given: number): number => (typeof field === 'number' ? field : given);
      const first = {
        opcode: row.opcode,
        dst: pick(row.dst, dst),
        src: pick(row.src, src),
        off: pick(row.off, off),
        imm: pick(row.imm, imm),
      };
      return row.wide ? [first, { opcode: 0, dst: 0, src: 0, off: 0, imm: hi }] : [first];
    });
  const program = fc
    .array(slots, { minLength: 1, maxLength: 40 })
    .map((all) => encode([...all.flat(), { opcode: 0x95, dst: 0, src: 0, off: 0, imm: 0 }]));
  const registers = fc.array(value, { minLength: 9, maxLength: 9 });

  test(`${N_RAW} programs: the same state at every stop`, () => {
    const ends = new Map<string, number>();
    fc.assert(
      fc.property(program, registers, breakpointSlots, legs, (bytes, values, stops, run) => {
        for (const { machine, made, memory } of worlds) {
          const prog = load(machine, bytes, { arenaAddr: memory.addr, mapIds: [...machine.maps.keys()] });
          setBreakpoints(prog, stops);
          const id = new Uint8Array(Uint32Array.of(prog.id).buffer);
          made[2]?.update(new Uint8Array(4), id, 0n);
          machine.output.length = 0;
          machine.enter(0, prog, 0n);
          for (const [reg, one] of values.entries()) machine.cpu(0).writeReg(reg, one);
        }
        const machines = worlds.map(({ machine }) => machine);
        try {
          countEnd(ends, runInStep(machines as [Machine, Machine], run));
        } catch (error) {
          // Not equal any more: a smaller program must not find them so.
          worlds = [newWorld(false), newWorld(true)];
          throw error;
        }
        for (const machine of machines) machine.progs.clear();
      }),
      { seed, numRuns: N_RAW },
    );
    console.log('instructions that nobody has checked:', Object.fromEntries(ends));
    expect(ends.get('exit')).toBeGreaterThan(N_RAW / 100);
    expect(ends.get('fault out_of_bounds')).toBeGreaterThan(N_RAW / 10);
  });
});

describe.each([
  ['as loaded', 0],
  ['with constants blinded', 2],
] as const)('programs that a verifier would take, %s', (_, bpfJitHarden) => {
  const options = { shared: false, settings: { bpfJitHarden }, blindSeed: 7, nCpus: 2 } as const;

  test(`${N_LOADED} programs: the same state at every stop`, () => {
    const ends = new Map<string, number>();
    const recipe = fc
      .constantFrom('xdp', 'sched_cls', 'socket_filter')
      .chain((type) => anyRecipe(type as 'xdp'));
    fc.assert(
      fc.property(recipe, breakpointSlots, legs, (one, stops, run) => {
        const machines = ENGINES.map(() => new Machine(options));
        if (!machines.every((machine) => enterGenerated(machine, one, stops))) return;
        countEnd(ends, runInStep(machines as [Machine, Machine], run));
      }),
      { seed, numRuns: N_LOADED },
    );
    console.log('programs that a verifier would take:', Object.fromEntries(ends));
    expect(ends.get('exit')).toBeGreaterThan(N_LOADED / 2);
  });

  test('the programs that Linux ran: the same state at every stop', () => {
    const sample = fc.sample(legs, { seed, numRuns: vectors.length + furtherVectors.length });
    let nCompared = 0;
    for (const [index, vector] of [...vectors, ...furtherVectors].entries()) {
      // Each with every second: a machine for each engine and program takes its time.
      if (vector.data === null || index % 2 !== bpfJitHarden / 2) continue;
      const data = unhex(vector.data);
      const machines = ENGINES.map(() => new Machine(options));
      const ready = machines.every((machine) => {
        const loaded = loadVector(machine, vector);
        if (!loaded.ok) return false;
        setBreakpoints(loaded.prog, [index, index * 7]);
        const { r1, r2 } = prepareInput(machine, 0, loaded.prog, { data, attach: 'test_run' });
        machine.enter(0, loaded.prog, r1, r2);
        return true;
      });
      if (!ready) continue;
      nCompared++;
      runInStep(machines as [Machine, Machine], sample[index] ?? []);
    }
    expect(nCompared).toBeGreaterThanOrEqual(200);
  });
});
