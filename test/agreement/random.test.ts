import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Engine } from '#core/interp/engine.ts';
import { reference } from '#core/interp/reference.ts';
import { decodeProgram, TABLE_ROWS } from '#core/isa/decode.ts';
import { printInsn } from '#core/isa/print.ts';
import { interpretedInsns, wasm, whyNotCompiled } from '#core/jit/wasm/engine.ts';
import { flowFrom } from '#core/jit/wasm/flow.ts';
import { jitOps } from '#core/jit/wasm/ops.ts';
import type { BpfProg } from '#core/prog/prog.ts';
import type { FaultKind } from '#core/vm/fault.ts';
import { MAX_CALL_FRAMES } from '#core/vm/layout.ts';
import { x86Sim } from '#core/x86-sim/x86-sim.ts';
import { EVERY_WAY } from '../engines.ts';
import { type AnyProgram, anyProgram, type Piece } from './pieces.ts';
import { type Effects, Side, type Witnessed, witness } from './side.ts';
import { accessNumber, write } from './writer.ts';

/** Another campaign: `FUZZ_SEED=7 FUZZ_PROGRAMS=100000 npx vitest run test/agreement/random.test.ts`. */
const SEED = Number(process.env.FUZZ_SEED ?? 0xa9);
/** Programs that are loaded, and executed as compiled code by every engine that compiles. */
const N = Number(process.env.FUZZ_PROGRAMS ?? 5000);
/** Programs that are drawn: 3 in 100 are refused at load, as many are not compiled (an opcode is broken). */
const DRAWN = Math.ceil(1.09 * N) + 20;
/** Milliseconds: several times what a machine with other work to do was seen to take. */
const TIMEOUT = 240_000 + 50 * N;

/** What was reached, by what it is. */
class Tally {
  readonly #counts = new Map<string, number>();

  add(what: string): void {
    this.#counts.set(what, this.of(what) + 1);
  }

  of(what: string): number {
    return this.#counts.get(what) ?? 0;
  }

  toString(): string {
    return [...this.#counts]
      .sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))
      .map(([what, n]) => `${what} ${n}`)
      .join(', ');
  }
}

/** What every program begins and ends with. */
const SMALLEST: AnyProgram = {
  progType: 'raw',
  functions: [[]],
  chain: 0,
  depth: 0,
  data: new Uint8Array(14),
  damage: 0,
};

const piece = (kind: Piece['kind'], a = 0, b = 0, imm = 1): Piece => ({ kind, a, b, c: 0, imm });

/** What random programs have found: all of them are compared first. */
const FOUND: readonly AnyProgram[] = [
  // A tail call in a function, to a program that saves no register: the caller's were lost on x86-64.
  { ...SMALLEST, functions: [[], [piece('tailCall', 1)]], chain: 1 },
  // The main function calls itself, and the tail calls of all its frames are more than one may make.
  { ...SMALLEST, functions: [[piece('tailCall', 0, 0, -401), piece('recursion')]], depth: 6 },
  // 30 rounds of 20 instructions are all that may be executed: the last tail call leads to a prologue, which costs nothing.
  {
    ...SMALLEST,
    progType: 'sched_cls',
    functions: [
      [{ ...piece('data'), c: accessNumber('stxb') }, piece('pointer'), piece('pointer'), piece('tailCall')],
    ],
  },
];

/** Told of each program that was loaded. */
interface Note {
  /** What it is, what was seen of its run, and how that ended. */
  ran(prog: BpfProg, seen: Witnessed, effects: Effects): void;
  /** A compiler executes it as its own code. */
  compiled(way: string): void;
}

function isCompiled({ way: { engine }, world: { machine } }: Side, prog: BpfProg): boolean {
  if (engine === wasm) return whyNotCompiled(machine, prog) === undefined;
  return engine === x86Sim && x86Sim.text(machine).of(prog) !== undefined;
}

/** Runs a program on all sides; a line for everything that one did and the first did not. */
function compare(sides: readonly Side[], program: AnyProgram, note?: Note): string[] {
  const { insns } = write(program);
  const [first, ...others] = sides;
  if (first === undefined) return [];
  let prog: BpfProg | undefined;
  const looking = witness(first.way.engine);
  const wanted = first.run(program, insns, (loaded) => {
    prog = loaded;
    return looking.engine;
  });
  if (prog !== undefined && typeof wanted !== 'string') note?.ran(prog, looking.seen(), wanted);
  return others.flatMap((side) => {
    const got = side.run(program, insns, (loaded) => {
      if (note !== undefined && isCompiled(side, loaded)) note.compiled(side.way.title);
      return side.way.engine;
    });
    if (isDeepStrictEqual(got, wanted)) return [];
    return differences(wanted, got).map((line) => `${side.way.title} against ${first.way.title}: ${line}`);
  });
}

function differences(wanted: Effects | string, got: Effects | string): string[] {
  if (typeof wanted === 'string' || typeof got === 'string') return [`${text(got)}, not ${text(wanted)}`];
  return (Object.keys(wanted) as (keyof Effects)[])
    .filter((key) => !isDeepStrictEqual(wanted[key], got[key]))
    .map((key) => `${key} ${text(got[key])}, not ${text(wanted[key])}`);
}

function text(value: unknown): string {
  return typeof value === 'string'
    ? value
    : JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? String(v) : v));
}

function listing(program: AnyProgram): string {
  return decodeProgram(write(program).insns)
    .map((each) => `${each.index}: ${printInsn(each, 'kernel')}`)
    .join('\n');
}

/** The smallest program that `check` finds fault with, as a text; undefined: none in `numRuns`. */
function counterexample(
  numRuns: number,
  check: (program: AnyProgram) => readonly string[],
): string | undefined {
  let last: readonly string[] = [];
  const property = fc.property(anyProgram, (program) => {
    const found = check(program);
    if (found.length > 0) last = found;
    return found.length === 0;
  });
  const result = fc.check(property, { seed: SEED, numRuns, examples: FOUND.map((found) => [found]) });
  const program = result.counterexample?.[0];
  if (program === undefined) {
    if (result.failed) throw result.errorInstance;
    return undefined;
  }
  const { progType, data, damage } = program;
  const input = `${progType}, data ${Buffer.from(data).toString('hex')}, damage ${damage}`;
  // It may need what the programs before it have left behind.
  const alone = check(program).length > 0 ? '' : ' (not when it runs alone)';
  return `seed ${SEED}, ${result.numRuns} programs: ${last.join('\n')}${alone}\n${input}\n${listing(program)}`;
}

/** The ways in which runs end; each must be reached by at least one program in `NOT_RARER`. */
const ENDS = [
  ...(['exit', 'out_of_bounds', 'uninitialised', 'permission', 'bad_helper'] as const),
  ...(['helper_argument', 'stack_overflow', 'insn_limit', 'bad_pc'] as const),
] satisfies readonly (FaultKind | 'exit')[];
const NOT_RARER = 300;
/** The ways of those engines that execute code of their own. */
const COMPILED_WAYS = EVERY_WAY.filter(({ engine }) => engine === wasm || engine === x86Sim);

/** Instructions that these programs do not have, and why. */
const NOT_GENERATED: Readonly<Record<string, string>> = {
  addr_space_cast: 'wants an arena',
  callx: 'is refused at load',
  lddw_func: 'wants a helper that calls back',
  lddw_map_idx: 'wants an array of fds at load',
  lddw_map_idx_value: 'wants an array of fds at load',
};

test(
  `${N} random programs and more: every engine does the same, blinded and not (seed ${SEED})`,
  () => {
    let sides = EVERY_WAY.map((way) => new Side(way));
    const tally = new Tally();
    const rows = new Set<string>();
    let compiledBy = 0;
    let executed = 0;
    const note: Note = {
      compiled: (way) => {
        tally.add(`${way} compiled`);
        compiledBy++;
      },
      ran: (prog, seen, effects) => {
        executed += Number(effects.insnsExecuted);
        tally.add('loaded');
        tally.add(seen.kind);
        tally.add(`depth ${seen.deepest}`);
        if (seen.recursed) tally.add('recursion');
        if (effects.tailCalls > 0) tally.add('tail calls');
        if (effects.output.length > 0) tally.add('output');
        const ops = jitOps(prog);
        const functions = prog.subprogs.filter(({ start }) => seen.entered.has(start));
        if (functions.some(({ start }) => !flowFrom(ops, start).reducible)) tally.add('irreducible');
        for (const id of seen.rows) rows.add(id);
      },
    };
    const found = counterexample(DRAWN, (program) => {
      compiledBy = 0;
      const lines = compare(sides, program, note);
      if (compiledBy === COMPILED_WAYS.length) tally.add('compiled in each way');
      // Not equal any more: a smaller program must not find them so.
      if (lines.length > 0) sides = EVERY_WAY.map((way) => new Side(way));
      return lines;
    });
    expect(found).toBeUndefined();
    const never = TABLE_ROWS.filter((row) => !row.rewrittenOnly && !rows.has(row.id)).map(({ id }) => id);
    console.log(`random programs: ${tally}; rows never executed: ${never.join(', ')}`);
    expect(tally.of('compiled in each way')).toBeGreaterThanOrEqual(N);
    // What cannot enter compiled code is little: ends of budgets, and what stands in front of the next place to enter it.
    for (const { way, world } of sides) {
      if (way.engine === wasm) expect(interpretedInsns(world.machine), way.title).toBeLessThan(executed / 10);
    }
    for (const end of ENDS) expect(tally.of(end), end).toBeGreaterThan(N / NOT_RARER);
    for (const what of ['recursion', 'tail calls', 'output']) {
      expect(tally.of(what), what).toBeGreaterThan(N / NOT_RARER);
    }
    expect(tally.of('irreducible')).toBeGreaterThan(N / 20);
    for (let depth = 0; depth < MAX_CALL_FRAMES; depth++)
      expect(tally.of(`depth ${depth}`), `depth ${depth}`).toBeGreaterThan(0);
    // A short campaign may miss some.
    if (N >= 3000) expect(never).toEqual(Object.keys(NOT_GENERATED));
  },
  TIMEOUT,
);

test('an engine that goes wrong is found, and the program is shrunk to what it does wrong', () => {
  /** Takes one from R0 wherever a program has multiplied 32 bits. */
  const wrong: Engine = {
    name: 'reference',
    run(machine, cpu, limits) {
      const { prog } = machine.cpu(cpu);
      const stop = reference.run(machine, cpu, limits);
      const multiplies = decodeProgram(prog.xlated).some(({ row }) => row?.id === 'mul32_imm');
      if (multiplies && stop.kind === 'exit') machine.cpu(cpu).writeReg(0, machine.cpu(cpu).readReg(0) - 1n);
      return stop;
    },
  };
  const [first] = EVERY_WAY;
  if (first === undefined) throw new Error('no engine');
  const sides = [new Side(first), new Side({ ...first, title: 'a wrong engine', engine: wrong })];
  const found = counterexample(2000, (program) => compare(sides, program)) ?? '';
  expect(found).toContain('a wrong engine against reference: registers r0=');
  expect(found).toMatch(/w\d \*= /);
  // What every program begins and ends with, and the multiplication.
  const lines = found.split('\n').filter((line) => /^\d+: /.test(line));
  expect(lines).toHaveLength(write(SMALLEST).insns.length / 8 + 1);
});
