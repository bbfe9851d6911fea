import fc from 'fast-check';
import type { Engine, StopCause } from '#core/interp/engine.ts';
import type { ExecProg } from '#core/vm/program.ts';
import type { Leg } from './whole-state.ts';

/** How random runs are cut into legs. */
export interface LegOptions {
  /** Engines that legs before the last are run on; one that is there twice is chosen twice as often. */
  readonly among: readonly Engine[];
  /** Engines of the last leg. */
  readonly last: readonly Engine[];
  /** Legs before the last, at most. */
  readonly most?: number;
  /** Instructions of the last leg: enough for most programs. */
  readonly end?: number;
  /** Instructions of a leg before it; half of them are 12 at most when not told. */
  readonly budget?: fc.Arbitrary<number>;
}

const SOME = fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 400 }));

/** Legs of a run, short ones among them, with breakpoints obeyed or not. */
export function legsOf({
  among,
  last,
  most = 8,
  end = 3000,
  budget = SOME,
}: LegOptions): fc.Arbitrary<readonly Leg[]> {
  const some = fc.array(
    fc.record({
      engine: fc.constantFrom(...among),
      budget,
      breakpoints: fc.boolean(),
      resume: fc.boolean(),
    }),
    { maxLength: most },
  );
  return fc
    .tuple(some, fc.constantFrom(...last))
    .map(([legs, engine]) => [...legs, { engine, budget: end, breakpoints: false, resume: true }]);
}

/** Where breakpoints are set, modulo the length. */
export const breakpointSlots = fc.array(fc.nat(), { maxLength: 4 });

/** Sets breakpoints at slots, modulo the program's length. */
export function setBreakpoints(prog: ExecProg, slots: readonly number[]): void {
  for (const slot of slots) prog.breakpoints.set(slot % prog.breakpoints.bytes.length, 1);
}

/** Counts how many ended in which way: a test of programs that all fault at once would say little. */
export function countEnd(ends: Map<string, number>, cause: StopCause | undefined): void {
  const end = cause?.kind === 'fault' ? `fault ${cause.fault.kind}` : (cause?.kind ?? 'nothing');
  ends.set(end, (ends.get(end) ?? 0) + 1);
}
