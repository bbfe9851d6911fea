import type { LockstepPair } from './pair.ts';
import { type DifferingRange, type Pinpoint, replay, type SearchInput } from './replay.ts';
import { fromItsEnd } from './search-from-end.ts';

/** Parts that a range of instructions is cut into, to look for the one in which a difference arises. */
const PARTS = 64;

/**
 * Finds the first instruction that makes a difference: goes back to where both were equal, that is, does everything
 * again in fresh machines, and cuts the range into parts until one instruction is left. A difference that hides when
 * parts become small (compiled code takes over for longer runs only) is looked for from its other end (`fromItsEnd`).
 */
export function pinpoint(search: SearchInput, found: DifferingRange): Pinpoint {
  const quick = search.checkpoint === undefined ? undefined : searched(search, found);
  // An engine may keep something for itself that a checkpoint does not hold.
  return quick !== undefined && quick.certainty !== 'once'
    ? quick
    : searched({ ...search, checkpoint: undefined }, found);
}

function searched(search: SearchInput, found: DifferingRange): Pinpoint {
  let range = found;
  for (;;) {
    const pair = replay(search, range.from);
    const differences = pair.compare();
    if (differences.length > 0) {
      // What was executed piece by piece was executed at once now: it arises before.
      const from = range === found ? 0 : found.from;
      return togetherIn(search, [{ from, to: range.from, differences }]);
    }
    if (range.to - range.from <= 1) {
      return {
        executed: range.from,
        sameAt: range.from,
        differsAt: range.to,
        certainty: 'exact',
        differences: range.differences,
        pair,
      };
    }
    const next = firstPart(pair, range, search.breakpoints);
    // Compiled code is not entered for a few instructions, nor where it was never before: the whole, then.
    if (next === undefined)
      return togetherIn(search, search.checkpoint ? [range, found] : [range, found, { ...found, from: 0 }]);
    range = next;
  }
}

/** Where it arises in the first of the ranges in which it does so again. */
function togetherIn(search: SearchInput, ranges: readonly DifferingRange[]): Pinpoint {
  let last: Pinpoint | undefined;
  for (const range of ranges) {
    last = fromItsEnd(search, range);
    if (last.certainty !== 'once') return last;
  }
  if (last === undefined) throw new RangeError('no range');
  return last;
}

/** The first of the range's parts in which both become different; undefined: none. */
function firstPart(
  pair: LockstepPair,
  range: DifferingRange,
  breakpoints: boolean,
): DifferingRange | undefined {
  const part = Math.ceil((range.to - range.from) / PARTS);
  for (let from = range.from; from < range.to; from += part) {
    const to = Math.min(from + part, range.to);
    const { differences, causes } = pair.runTo(to, breakpoints);
    if (differences.length > 0) return { from, to, differences };
    if (causes[0].kind !== 'budget') return undefined;
  }
  return undefined;
}
