import fc from 'fast-check';
import { expect, test } from 'vitest';
import { reference } from '#core/interp/reference.ts';
import { decodeProgram } from '#core/isa/decode.ts';
import { printInsn } from '#core/isa/print.ts';
import { wasm } from '#core/jit/wasm/engine.ts';
import { flowFrom } from '#core/jit/wasm/flow.ts';
import { jitOps } from '#core/jit/wasm/ops.ts';
import type { Machine } from '#core/vm/machine.ts';
import type { ExecProg } from '#core/vm/program.ts';
import { encode, load, newMachine } from '../interp/build.ts';
import { type Leg, runInStep } from '../interp/whole-state.ts';
import { type RandomProgram, randomProgram } from './random-program.ts';

const N = Number(process.env.WASM_PROGRAMS ?? 600);

/** Breakpoint bytes that change before a leg of a run: the slot, modulo the length, and the byte. */
type Change = readonly [slot: number, byte: number];

interface Turn extends Omit<Leg, 'engine'> {
  readonly onReference: boolean;
  readonly changes: readonly Change[];
}

const turn: fc.Arbitrary<Turn> = fc.record({
  onReference: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  budget: fc.oneof(
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 5 }) },
    { weight: 2, arbitrary: fc.integer({ min: 4, max: 100 }) },
    { weight: 6, arbitrary: fc.integer({ min: 100, max: 2000 }) },
  ),
  breakpoints: fc.integer({ min: 0, max: 9 }).map((n) => n > 0),
  resume: fc.integer({ min: 0, max: 4 }).map((n) => n > 0),
  passes: fc.constantFrom(
    undefined,
    undefined,
    (_: ExecProg, slot: number) => slot % 3 > 0,
    () => true,
  ),
  changes: fc.array(fc.tuple(fc.nat(), fc.constantFrom(0, 0, 1, 2, 3)), { maxLength: 3 }),
});

/** One in eight can run past its end. */
const anyProgram: fc.Arbitrary<RandomProgram> = fc
  .tuple(randomProgram, fc.integer({ min: 0, max: 7 }))
  .map(([{ slots }, n]) => ({ slots: n === 0 ? slots.slice(0, -1) : slots }));

function ready(program: RandomProgram): { machine: Machine; prog: ExecProg } {
  const machine = newMachine({ maxMemory: 2 ** 21, seed: 5 });
  const memory = machine.space.alloc({ name: 'memory', kind: 'memory', size: 64, perm: 'rw' });
  const prog = load(machine, program.slots);
  machine.enter(0, prog, memory.addr, 64n);
  return { machine, prog };
}

function textOf(program: RandomProgram): string {
  return decodeProgram(encode(program.slots))
    .map((each) => `${each.index}: ${printInsn(each, 'kernel')}`)
    .join('\n');
}

test(`${N} random programs with breakpoints that come and go: the same state at every stop`, () => {
  const ends = new Map<string, number>();
  let irreducible = 0;
  fc.assert(
    fc.property(
      anyProgram,
      fc.array(fc.nat(), { maxLength: 4 }),
      fc.array(turn, { minLength: 1, maxLength: 14 }),
      (program, first, turns) => {
        const both = [ready(program), ready(program)] as const;
        const machines = [both[0].machine, both[1].machine] as const;
        const set = ([slot, byte]: Change): void => {
          for (const { prog } of both) prog.breakpoints.set(slot % prog.breakpoints.bytes.length, byte);
        };
        for (const slot of first) set([slot, 1]);
        if (!flowFrom(jitOps(both[0].prog), 0).reducible) irreducible++;
        for (const { onReference, changes, ...limits } of turns) {
          for (const each of changes) set(each);
          const leg = { engine: onReference ? reference : wasm, ...limits };
          let cause: ReturnType<typeof runInStep>;
          try {
            cause = runInStep(machines, [leg]);
          } catch (error) {
            throw new Error(textOf(program), { cause: error });
          }
          ends.set(cause?.kind ?? '', (ends.get(cause?.kind ?? '') ?? 0) + 1);
          if (cause?.kind === 'exit' || cause?.kind === 'fault') return;
        }
      },
    ),
    { seed: Number(process.env.FUZZ_SEED ?? 31), numRuns: N },
  );
  console.log(`stops: ${[...ends].map(([end, n]) => `${end} ${n}`).join(', ')}; irreducible ${irreducible}`);
  expect(ends.get('breakpoint')).toBeGreaterThan(N / 2);
  expect(irreducible).toBeGreaterThan(N / 60);
}, 300_000);
