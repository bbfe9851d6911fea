import type { RunInput } from '../ctx/input.ts';
import type { Engine, RunLimits, StopCause } from '../interp/engine.ts';
import type { Machine } from '../vm/machine.ts';
import type { StateEdit } from './lockstep-edit.ts';
import { type LockstepEntry, LockstepPair } from './lockstep-pair.ts';
import { type Pinpoint, pinpoint } from './lockstep-search.ts';
import type { MakeSide } from './lockstep-side.ts';

/** What came of a piece of a run: both did the same, or where they first did not. */
export type LockstepOutcome =
  | { readonly kind: 'equal'; readonly cause: StopCause }
  | { readonly kind: 'differs'; readonly at: Pinpoint };

/** Instructions of the first piece between two comparisons, and of the longest. */
const FIRST_SLICE = 256;
const LONGEST_SLICE = 1 << 22;

/** Two engines side by side on the same inputs, compared after pieces that grow while they agree. */
export class Lockstep {
  readonly #make: MakeSide;
  readonly #history: LockstepEntry[] = [];
  readonly #pair: LockstepPair;
  #slice = FIRST_SLICE;
  #executed = 0;

  /**
   * @param make makes a machine with the program loaded, each time the same.
   * @param first the engine whose values are told first.
   */
  constructor(make: MakeSide, first: Engine, second: Engine) {
    this.#make = make;
    this.#pair = new LockstepPair(make, [first, second]);
  }

  /** The first engine's side: what a caller may look at while both are equal. */
  get side(): LockstepPair['sides'][0] {
    return this.#pair.sides[0];
  }

  get second(): LockstepPair['sides'][0] {
    return this.#pair.sides[1];
  }

  /** Instructions that both have executed alike, on all inputs. */
  get executed(): number {
    return this.#executed;
  }

  /** Goes on with another engine in the place of the first. */
  set first(engine: Engine) {
    this.#pair.sides[0].engine = engine;
  }

  /** Both before the first instruction, on an input. */
  enter(input: RunInput): void {
    this.#history.push({ input, edits: [], executed: 0, faulted: false });
    this.#pair.enter(input);
  }

  /** Ends the run on the last input. */
  leave(): void {
    this.#pair.leave();
  }

  /** Changes the same in both. */
  edit(edit: StateEdit): void {
    this.#pair.edit(edit);
    this.#history.at(-1)?.edits.push({ at: this.side.executed, edit });
  }

  /** Instructions that the next `run` executes at most: few at first, more while both agree. */
  get slice(): number {
    return this.#slice;
  }

  /**
   * Runs both by the same limits, but `slice` instructions at most, and compares; `breakpoints`: the machine whose
   * breakpoints both get, where they are obeyed. When they differ both are of no more use.
   */
  run(limits: RunLimits, breakpoints?: Machine): LockstepOutcome {
    const entry = this.#history.at(-1);
    if (entry === undefined) throw new Error('there is no input to run on');
    const from = entry.executed;
    const budget = Math.min(limits.budget, this.#slice);
    if (breakpoints !== undefined) this.#pair.takeBreakpoints(breakpoints);
    const outcome = this.#pair.run({ ...limits, budget });
    const [cause] = outcome.causes;
    if (outcome.differences.length > 0) {
      const reached = Math.max(...this.#pair.sides.map(({ executed }) => executed));
      const search = {
        make: this.#make,
        engines: [this.side.engine, this.second.engine] as const,
        history: this.#history,
        breakpoints: limits.breakpoints ? breakpoints : undefined,
      };
      // What stopped an engine early stands behind what it has executed.
      const to = Math.min(from + budget, reached + 1);
      return { kind: 'differs', at: pinpoint(search, { from, to, outcome }) };
    }
    if (cause.kind === 'failed') throw new Error(cause.message);
    this.#pair.clearOutput();
    this.#executed += this.side.executed - from;
    entry.executed = this.side.executed;
    entry.faulted = cause.kind === 'fault';
    this.#slice = Math.min(this.#slice * 2, LONGEST_SLICE);
    return { kind: 'equal', cause };
  }
}
