import { reference } from '../../interp/reference.ts';
import { restoreCheckpoint, takeCheckpoint } from './checkpoint.ts';
import { type LockstepPair, type LockstepPast, replayed } from './pair.ts';
import type { StateDifference } from './state.ts';

/** What is not the same in both. */
export type Differences = readonly StateDifference[];

/** What a search needs to do everything again. */
export interface SearchInput extends LockstepPast {
  /** Engines run as if there were breakpoints. */
  readonly breakpoints: boolean;
}

/** Instructions on the current input: both are equal at `from`, and differ at `to`. */
export interface DifferingRange {
  readonly from: number;
  readonly to: number;
  readonly differences: Differences;
}

/** Where a difference arises. */
export interface Pinpoint {
  /** Instructions on this input before the one that makes the difference. */
  readonly executed: number;
  /** Instructions after which both are certainly in the same state; `executed`, or a few less. */
  readonly sameAt: number;
  /** Instructions after which they are certainly not. */
  readonly differsAt: number;
  /**
   * `exact`: the next instruction makes the difference. `likely`: it shows only where instructions are executed
   * together; the next one makes it, or another of those between `sameAt` and `differsAt`. `once`: it did not happen
   * again when the same was done once more.
   */
  readonly certainty: 'exact' | 'likely' | 'once';
  readonly differences: Differences;
  /** Both before that instruction. */
  readonly pair: LockstepPair;
}

/** Both after `count` instructions on the current input, in fresh machines. */
export function replay(search: SearchInput, count: number): LockstepPair {
  return replayed(search, count, search.breakpoints);
}

/** Both after `count` instructions, those from `base` on executed by `reference`. */
export function stepped(search: SearchInput, base: number, count: number): LockstepPair {
  const pair = replay(search, base);
  for (const side of pair.sides) side.runTo(count, false, reference);
  return pair;
}

/**
 * The same, with engines that have executed up to `end` once before: some compile what follows a place only when they
 * come there for the second time.
 */
export function warm(search: SearchInput, base: number, count: number, end: number): LockstepPair {
  const pair = stepped(search, base, count);
  const saved = pair.sides.map((side) => takeCheckpoint(side, 0, 0));
  for (const side of pair.sides) side.runTo(end, search.breakpoints);
  const isBack = pair.sides.every((side, index) => {
    const state = saved[index];
    return state !== undefined && restoreCheckpoint(side, state);
  });
  pair.clearOutput();
  return isBack ? pair : stepped(search, base, count);
}
