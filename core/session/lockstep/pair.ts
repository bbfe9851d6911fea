import type { RunInput } from '../../ctx/input.ts';
import type { Engine, RunLimits } from '../../interp/engine.ts';
import { type Checkpoint, restoreCheckpoint } from './checkpoint.ts';
import { applyEdit, type StateEdit } from './edit.ts';
import { LockstepSide, type MakeSide, type SideCause } from './side.ts';
import { causeDifferences, compareStates, type StateDifference } from './state.ts';

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

  /** Runs both up to `count` instructions on the current input, and compares; `breakpoints` as in `LockstepSide.runTo`. */
  runTo(count: number, breakpoints: boolean): PairOutcome {
    const [first, second] = this.sides;
    return this.#compared([first.runTo(count, breakpoints), second.runTo(count, breakpoints)]);
  }

  /** Runs both by the same limits, and compares. */
  run(limits: RunLimits): PairOutcome {
    const [first, second] = this.sides;
    return this.#compared([first.run(limits), second.run(limits)]);
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

  /** Forgets what was printed; equal until now. */
  clearOutput(): void {
    for (const { machine } of this.sides) machine.output.length = 0;
  }

  #compared(causes: readonly [SideCause, SideCause]): PairOutcome {
    const differences = [...causeDifferences(causes), ...this.compare()];
    return { causes, differences };
  }
}

/** What has happened until now, to be done again. */
export interface LockstepPast {
  readonly make: MakeSide;
  readonly engines: Engines;
  /** The last entry is the current input. */
  readonly history: readonly LockstepEntry[];
  /** A state on the current input to begin with; undefined: everything is done again. */
  readonly checkpoint?: Checkpoint | undefined;
}

/**
 * A fresh pair that has done again what stands in `past`, on the current input up to `count` instructions. Runs are
 * deterministic, so it stands where the first pair stood; `breakpoints` as in `LockstepSide.runTo`.
 */
export function replayed(past: LockstepPast, count: number, breakpoints = false): LockstepPair {
  const pair = fromCheckpoint(past, count, breakpoints) ?? fromBegin(past, count, breakpoints);
  pair.clearOutput();
  return pair;
}

function fromBegin(
  { make, engines, history }: LockstepPast,
  count: number,
  breakpoints: boolean,
): LockstepPair {
  const pair = new LockstepPair(make, engines);
  for (const side of pair.sides) {
    for (const [index, { input, edits, executed, faulted }] of history.entries()) {
      side.enter(input);
      if (index === history.length - 1) goOn(side, edits, count, breakpoints);
      else goOn(side, edits, faulted ? executed + 1 : executed, breakpoints);
    }
  }
  return pair;
}

function fromCheckpoint(past: LockstepPast, count: number, breakpoints: boolean): LockstepPair | undefined {
  const { make, engines, history, checkpoint } = past;
  if (checkpoint?.entry !== history.length - 1 || checkpoint.count > count) return undefined;
  const pair = new LockstepPair(make, engines);
  for (const side of pair.sides) {
    // Objects get the windows that they had.
    for (const { input } of history) side.enter(input);
    if (!restoreCheckpoint(side, checkpoint)) return undefined;
    goOn(side, history.at(-1)?.edits.slice(checkpoint.edits) ?? [], count, breakpoints);
  }
  return pair;
}

function goOn(side: LockstepSide, edits: LockstepEntry['edits'], count: number, breakpoints: boolean): void {
  for (const { at, edit } of edits) {
    if (at > count) break;
    side.runTo(at, breakpoints);
    applyEdit(side.loaded, edit);
  }
  side.runTo(count, breakpoints);
}
