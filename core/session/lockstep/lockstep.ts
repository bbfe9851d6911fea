import type { RunInput } from '../../ctx/input.ts';
import type { Engine } from '../../interp/engine.ts';
import { type Checkpoint, takeCheckpoint } from './checkpoint.ts';
import type { StateEdit } from './edit.ts';
import { type LockstepEntry, LockstepPair, type LockstepPast, replayed } from './pair.ts';
import type { Pinpoint } from './replay.ts';
import { pinpoint } from './search.ts';
import type { LockstepSide, MakeSide, SideCause } from './side.ts';

/** What came of a piece of a run: both did the same, or where they first did not. */
export type LockstepOutcome =
  | { readonly kind: 'equal'; readonly cause: SideCause }
  | {
      readonly kind: 'differs';
      /** Finds the instruction that makes the difference; may take as long as several times the run until now. */
      find(): Pinpoint;
    };

/** Instructions in all from which on states are kept, to go back to: what is less is done again in no time. */
const KEEP_FROM = 4_000_000;

/** Instructions of the first piece between two comparisons, and of the longest. */
const FIRST_PIECE = 256;
const LONGEST_PIECE = 1 << 22;

/** Two engines side by side on the same inputs, compared after pieces that grow while they agree. */
export class Lockstep {
  readonly #make: MakeSide;
  readonly #history: LockstepEntry[] = [];
  #pair: LockstepPair;
  #piece = FIRST_PIECE;
  #executed = 0;
  /** They have become different. */
  #isApart = false;
  /** The states before and behind the last piece. */
  #kept: readonly Checkpoint[] = [];

  /**
   * @param make makes a machine with the program loaded, each time the same.
   * @param first the engine whose values are told first.
   */
  constructor(make: MakeSide, first: Engine, second: Engine) {
    this.#make = make;
    this.#pair = new LockstepPair(make, [first, second]);
  }

  /** The engines' machines, to look at; others after `goBack`. */
  get pair(): LockstepPair {
    return this.#pair;
  }

  get first(): LockstepSide {
    return this.#pair.sides[0];
  }

  get second(): LockstepSide {
    return this.#pair.sides[1];
  }

  /** Instructions that both have executed alike on the current input. */
  get executed(): number {
    return this.#history.at(-1)?.executed ?? 0;
  }

  /** The same on all inputs. */
  get executedInAll(): number {
    return this.#executed;
  }

  /** Both before the first instruction, on an input. */
  enter(input: RunInput): void {
    this.#history.push({ input, edits: [], executed: 0, faulted: false });
    this.#pair.enter(input);
    this.#kept = [];
    this.#keep();
  }

  /** Ends the run on the last input. */
  leave(): void {
    this.#pair.leave();
  }

  /** Changes the same in both, where they stand. */
  edit(edit: StateEdit): void {
    this.#pair.edit(edit);
    this.#history.at(-1)?.edits.push({ at: this.executed, edit });
    this.#keep();
  }

  /**
   * To where both have executed `count` instructions on the current input: back, or where they have been found to
   * differ later, to any place before that.
   */
  goBack(count: number): void {
    const entry = this.#history.at(-1);
    if (entry === undefined || (count >= entry.executed && !this.#isApart)) return;
    this.#isApart = false;
    this.#executed -= entry.executed - count;
    entry.executed = count;
    entry.faulted = false;
    this.#pair = replayed(this.#past(count), count);
    this.#kept = this.#kept.filter((each) => each.count <= count);
  }

  /**
   * Runs both for up to `budget` instructions, fewer at first than later on, and compares; `breakpoints`: as if there
   * were some. When they differ, both are of no use before `goBack`. Throws when both engines fail in the same way.
   */
  run(budget: number, breakpoints = false): LockstepOutcome {
    const entry = this.#history.at(-1);
    if (entry === undefined) throw new Error('there is no input to run on');
    const from = entry.executed;
    const piece = Math.min(budget, this.#piece);
    const outcome = this.#pair.runTo(from + piece, breakpoints);
    const [cause] = outcome.causes;
    if (outcome.differences.length > 0) {
      this.#isApart = true;
      const reached = Math.max(...this.#pair.sides.map(({ executed }) => executed));
      const search = { ...this.#past(from), breakpoints };
      // What stopped an engine early stands behind what it has executed.
      const to = Math.min(from + piece, reached + 1);
      const { differences } = outcome;
      return { kind: 'differs', find: () => pinpoint(search, { from, to, differences }) };
    }
    if (cause.kind === 'failed') throw new Error(cause.message);
    this.#pair.clearOutput();
    this.#executed += this.first.executed - from;
    entry.executed = this.first.executed;
    entry.faulted = cause.kind === 'fault';
    this.#piece = Math.min(this.#piece * 2, LONGEST_PIECE);
    if (cause.kind === 'budget') this.#keep();
    return { kind: 'equal', cause };
  }

  /** Keeps the state that both are in. */
  #keep(): void {
    if (this.#executed < KEEP_FROM) return;
    const edits = this.#history.at(-1)?.edits.length ?? 0;
    const now = takeCheckpoint(this.first, this.#history.length - 1, edits);
    this.#kept = [...this.#kept.slice(-1), ...(now === undefined ? [] : [now])];
  }

  /** What is to be done again, with the latest state that is kept of a moment up to `count` instructions. */
  #past(count: number): LockstepPast {
    return {
      make: this.#make,
      engines: [this.first.engine, this.second.engine],
      history: this.#history,
      checkpoint: this.#kept.findLast((each) => each.count <= count),
    };
  }
}
