import fc from 'fast-check';
import { expect, test } from 'vitest';
import { reference } from '#core/interp/reference.ts';
import { TABLE_ROWS, type TableRow } from '#core/isa/decode.ts';
import type { Insn } from '#core/isa/insn.ts';
import { X86_PRESETS } from '#core/jit/x86-64/config.ts';
import { createMap } from '#core/maps/create.ts';
import type { MapDef } from '#core/object/object.ts';
import { Machine } from '#core/vm/machine.ts';
import type { BpfMap } from '#core/vm/map.ts';
import type { Subprog } from '#core/vm/program.ts';
import { X86Sim, x86Sim } from '#core/x86-sim/x86-sim.ts';
import { encode, load } from '../interp/build.ts';
import { breakpointSlots, countEnd, legsOf, setBreakpoints } from '../interp/legs.ts';
import { runInStep } from '../interp/whole-state.ts';

const seed = Number(process.env.FUZZ_SEED ?? 0x86);
const N = Number(process.env.FUZZ_PROGRAMS ?? 5000);

/**
 * What the JIT refuses wherever it stands. A compare-and-exchange of 32 bits that succeeds leaves the upper half of rax
 * alone; the loader puts an instruction behind it that clears it.
 */
const REFUSED = /^(callx|may_goto|ldabs|ldind|lddw_map_idx|probe_atomic|lddw_func|atomic_cmpxchg32)/;
const ROWS = TABLE_ROWS.filter(({ id }) => !REFUSED.test(id));
const JUMPS = ROWS.filter(({ flow, group }) => flow === 'branch' || (flow === 'jump' && group !== 'packet'));
const MEMORY = ROWS.filter(({ access }) => access !== undefined);

const MAPS: MapDef[] = [
  { name: 'a', type: 'array', keySize: 4, valueSize: 16, maxEntries: 3, flags: 0 },
  { name: 'h', type: 'hash', keySize: 4, valueSize: 8, maxEntries: 4, flags: 0 },
  { name: 'p', type: 'prog_array', keySize: 4, valueSize: 4, maxEntries: 4, flags: 0 },
];

function newWorld(shared: boolean) {
  const machine = new Machine({ shared, nCpus: 2, maxMemory: 2 ** 25 });
  const made = MAPS.map((def) => createMap(machine, def) as BpfMap);
  const memory = machine.space.alloc({ name: 'memory', kind: 'memory', size: 64, perm: 'rw' });
  const constant = machine.space.alloc({ name: 'constant', kind: 'memory', size: 24, perm: 'r' });
  machine.perCpu();
  return { machine, made, memory, constant };
}

let worlds = [newWorld(false), newWorld(true)] as const;
const [world] = worlds;
const stack = 0xffff8800_00000000n + (BigInt(world.machine.cpu(0).stackRegionId(0)) << 32n) + 512n;

const value = fc.oneof(
  {
    arbitrary: fc
      .tuple(
        fc.constantFrom(world.memory.addr, world.constant.addr, stack - 64n),
        fc.integer({ min: -4, max: 60 }),
      )
      .map(([p, n]) => p + BigInt(n)),
    weight: 5,
  },
  fc.constantFrom(...world.made.map(({ addr }) => addr), 0n, 1n, 1n << 63n, (1n << 64n) - 1n, 1n << 31n),
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
);

/** One instruction; where it leads to is filled in when the whole function is there. */
interface Draft {
  readonly row: TableRow;
  readonly dst: number;
  readonly src: number;
  readonly off: number;
  readonly imm: number;
  readonly hi: number;
}

const draft: fc.Arbitrary<Draft> = fc.record({
  row: fc.oneof(
    { arbitrary: fc.constantFrom(...ROWS), weight: 6 },
    { arbitrary: fc.constantFrom(...JUMPS), weight: 1 },
    { arbitrary: fc.constantFrom(...MEMORY), weight: 1 },
  ),
  dst: fc.integer({ min: 0, max: 9 }),
  src: fc.integer({ min: 0, max: 10 }),
  off: fc.oneof(fc.integer({ min: -5, max: 9 }), fc.constantFrom(-8, -16, -64, 32, 32767, -32768)),
  imm: fc.oneof(fc.integer({ min: -3, max: 9 }), fc.integer()),
  hi: fc.integer({ min: -2, max: 3 }),
});

/** Functions of up to 30 instructions; jumps stay in them but lead anywhere, so that flow is often irreducible. */
const functions = fc.array(fc.array(draft, { minLength: 1, maxLength: 30 }), { minLength: 1, maxLength: 4 });

function build(drafts: readonly (readonly Draft[])[]): { insns: Insn[]; subprogs: Subprog[] } {
  const lengths = drafts.map((func) => func.reduce((sum, { row }) => sum + (row.wide ? 2 : 1), 1));
  const starts = lengths.map((_, i) => lengths.slice(0, i).reduce((sum, length) => sum + length, 0));
  const insns: Insn[] = [];
  for (const [index, func] of drafts.entries()) {
    const places = [...func, undefined].map((_, i) =>
      func.slice(0, i).reduce((sum, { row }) => sum + (row.wide ? 2 : 1), starts[index] ?? 0),
    );
    for (const { row, ...one } of func) {
      const next = insns.length + 1;
      const target = (places[Math.abs(one.imm) % places.length] ?? 0) - next;
      const leads = row.flow === 'branch' || row.flow === 'jump';
      const callee = (starts[Math.abs(one.imm) % starts.length] ?? 0) - next;
      const pick = (field: unknown, given: number): number => (typeof field === 'number' ? field : given);
      const imm = row.id === 'call_local' ? callee : row.id === 'jal' ? target : one.imm;
      insns.push({
        opcode: row.opcode,
        dst: pick(row.dst, one.dst),
        // The frame pointer is not written.
        src: pick(row.src, row.src === 'rw' ? one.src % 10 : one.src),
        off: pick(row.off, leads ? target : one.off),
        imm: pick(row.imm, imm),
      });
      if (row.wide) insns.push({ opcode: 0, dst: 0, src: 0, off: 0, imm: one.hi });
    }
    insns.push({ opcode: 0x95, dst: 0, src: 0, off: 0, imm: 0 });
  }
  const subprogs = starts.map((start, i) => ({
    name: `f${i}`,
    start,
    end: start + (lengths[i] ?? 0),
    stackDepth: [512, 64, 0, 8][i] ?? 0,
  }));
  return { insns, subprogs };
}

const ENGINES = [x86Sim, new X86Sim({ ...X86_PRESETS['plain-ret'], bmi2: false, ibt: true, sls: true })];

const legs = legsOf({ among: [...ENGINES, reference], last: ENGINES, most: 6, end: 1500 });

test(`${N} programs that nobody has checked: the same state at every stop`, () => {
  const ends = new Map<string, number>();
  let native = 0;
  fc.assert(
    fc.property(
      functions,
      fc.array(value, { minLength: 9, maxLength: 9 }),
      breakpointSlots,
      legs,
      (drafts, values, stops, run) => {
        const { insns, subprogs } = build(drafts);
        const bytes = encode(insns);
        for (const { machine, made, memory } of worlds) {
          const mapIds = [...machine.maps.keys()];
          const prog = load(machine, bytes, { arenaAddr: memory.addr, mapIds, subprogs });
          setBreakpoints(prog, stops);
          made[2]?.update(new Uint8Array(4), new Uint8Array(Uint32Array.of(prog.id).buffer), 0n);
          machine.output.length = 0;
          machine.enter(0, prog, 0n);
          for (const [reg, one] of values.entries()) machine.cpu(0).writeReg(reg, one);
        }
        const [first, second] = worlds.map(({ machine }) => machine) as [Machine, Machine];
        try {
          if (x86Sim.text(second).of(second.cpu(0).prog) !== undefined) native++;
          countEnd(ends, runInStep([first, second], run));
        } catch (error) {
          // Not equal any more: a smaller program must not find them so.
          worlds = [newWorld(false), newWorld(true)];
          throw error;
        }
        for (const { machine } of worlds) machine.progs.clear();
      },
    ),
    { seed, numRuns: N },
  );
  console.log('programs that nobody has checked:', Object.fromEntries(ends), `${native} native`);
  expect(native).toBeGreaterThan(N / 2);
  expect(ends.get('exit')).toBeGreaterThan(N / 50);
  expect(ends.get('fault out_of_bounds')).toBeGreaterThan(N / 10);
}, 300_000);
