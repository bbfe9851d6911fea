import type { Differences } from './replay.ts';

/** The smallest number above `low` where `at` finds differences, as it does at `high`. */
export function smallest(
  low: number,
  high: number,
  atHigh: Differences,
  at: (n: number) => Differences | undefined,
): [number, Differences] {
  let [none, some, differences] = [low, high, atHigh];
  while (some - none > 1) {
    const middle = none + Math.floor((some - none) / 2);
    const here = at(middle);
    if (here === undefined) none = middle;
    else [some, differences] = [middle, here];
  }
  return [some, differences];
}

/** The largest number below `high` where `at` finds differences, as it does at `low`. */
export function largest(
  low: number,
  high: number,
  atLow: Differences,
  at: (n: number) => Differences | undefined,
): [number, Differences] {
  const [mirrored, differences] = smallest(-high, -low, atLow, (n) => at(-n));
  return [-mirrored, differences];
}
