import type { RunInput } from '../ctx/input.ts';
import type { Engine, RunLimits } from '../interp/engine.ts';
import type { Machine } from '../vm/machine.ts';
import { applyEdit, type StateEdit } from './lockstep-edit.ts';
import { LockstepSide, type MakeSide, type SideCause } from './lockstep-side.ts';
import { causeDifferences, compareStates, type StateDifference } from './lockstep-state.ts';

/** The engines that are compared: the one that the user has chosen, and the other. */
export type Engines = readonly [Engine, Engine];

/** What has happened on an input, so that it can be done again. */
export interface LockstepEntry {
  readonly input: RunInput;
  /** By the instructions executed before. */
  readonly edits: { readonly at: number; readonly edit: StateEdit }[];
  /** Instructions that both have executed with the same result. */
  executed: number;
  /** It ended in a fault: the instruction behind those executed was tried. */
  faulted: boolean;
}

/** What came of running both for the same number of instructions. */
export interface PairOutcome {
  readonly causes: readonly [SideCause, SideCause];
  /** Empty: both are in the same state. */
  readonly differences: readonly StateDifference[];
}

/** Two machines, loaded alike, whose engines do the same work. */
export class LockstepPair {
  readonly sides: readonly [LockstepSide, LockstepSide];

  constructor(make: MakeSide, [first, second]: Engines) {
    this.sides = [new LockstepSide(make(), first), new LockstepSide(make(), second)];
  }

  enter(input: RunInput): void {
    for (const side of this.sides) side.enter(input);
  }

  leave(): void {
    for (const side of this.sides) side.leave();
  }

  /** Runs both by the same limits, and compares. */
  run(limits: RunLimits): PairOutcome {
    const [first, second] = this.sides;
    return this.#compared([first.run(limits), second.run(limits)]);
  }

  /** Runs both up to `count` instructions on the current input, whatever breakpoints there are, and compares. */
  runTo(count: number, breakpoints: boolean): PairOutcome {
    const [first, second] = this.sides;
    return this.#compared([first.runTo(count, breakpoints), second.runTo(count, breakpoints)]);
  }

  /** What differs as they stand. */
  compare(): readonly StateDifference[] {
    const [first, second] = this.sides;
    const ignoreAx = first.engine.name === 'x86-64' || second.engine.name === 'x86-64';
    return compareStates(first.loaded, second.loaded, { ignoreAx });
  }

  edit(edit: StateEdit): void {
    for (const { loaded } of this.sides) applyEdit(loaded, edit);
  }

  takeBreakpoints(from: Machine): void {
    for (const side of this.sides) side.takeBreakpoints(from);
  }

  /** Forgets what was printed; equal until now. */
  clearOutput(): void {
    for (const { machine } of this.sides) machine.output.length = 0;
  }

  #compared(causes: readonly [SideCause, SideCause]): PairOutcome {
    const differences = [...causeDifferences(causes), ...this.compare()];
    return { causes, differences };
  }
}

/**
 * A fresh pair that has done again what stands in `history`, on the last input up to `count` instructions. Runs are
 * deterministic, so it stands where the first pair stood; `breakpoints`: engines look for them on the way, as then.
 */
export function replayed(
  make: MakeSide,
  engines: Engines,
  history: readonly LockstepEntry[],
  count: number,
  breakpoints: Machine | undefined,
): LockstepPair {
  const pair = new LockstepPair(make, engines);
  if (breakpoints !== undefined) pair.takeBreakpoints(breakpoints);
  for (const side of pair.sides) {
    for (const [index, { input, edits, executed, faulted }] of history.entries()) {
      const isLast = index === history.length - 1;
      const end = isLast ? count : executed;
      side.enter(input);
      for (const { at, edit } of edits) {
        if (at > end) break;
        side.runTo(at, breakpoints !== undefined);
        applyEdit(side.loaded, edit);
      }
      side.runTo(!isLast && faulted ? end + 1 : end, breakpoints !== undefined);
    }
  }
  pair.clearOutput();
  return pair;
}
