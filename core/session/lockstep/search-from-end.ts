import { largest, smallest } from './bisect.ts';
import type { LockstepPair } from './pair.ts';
import {
  type Differences,
  type DifferingRange,
  type Pinpoint,
  replay,
  type SearchInput,
  stepped,
  warm,
} from './replay.ts';
import { firstOfLastWriters, type Stopped, stoppedBehind, stoppedInBlocks } from './search-by-breakpoints.ts';

/**
 * Instructions behind those of interest that engines are given: the last ones that a run may execute are interpreted.
 * The second for compiled code, which needs room for the longest way through a loop.
 */
const BEYOND = [16, 512] as const;

/**
 * For a difference that shows only where instructions are executed together: cuts the run short as far as it still
 * shows, then looks for the last instruction from which on both must be executed by their own engines, those before by
 * `reference`. There engines begin that can begin everywhere; compiled code begins at certain places only, so it is
 * then stopped by breakpoints at each of the following instructions.
 */
export function fromItsEnd(search: SearchInput, range: DifferingRange): Pinpoint {
  const base = range.from;
  const shortest = (to: number) => differing(replay(search, base), to, search);
  const whole = shortest(range.to);
  if (whole === undefined) {
    const pair = replay(search, base);
    const at = { executed: base, sameAt: base, differsAt: range.to };
    return { ...at, certainty: 'once', differences: range.differences, pair };
  }
  const [to] = smallest(base, range.to, whole, shortest);
  let likely: Pinpoint | undefined;
  for (const beyond of BEYOND) {
    const end = to + beyond;
    const begun = (from: number) => differing(warm(search, base, from, end), end, search);
    const all = begun(base);
    if (all === undefined) continue;
    const [from, differences] = largest(base, to, all, begun);
    const stopped = stoppedBehind(search, base, from, end);
    if (stopped !== undefined) return atStop(search, base, stopped);
    const soon = (n: number) => differing(warm(search, base, from, end), n, search);
    const [differsAt, first] = smallest(from, end, differences, soon);
    likely ??= { ...found(from, first), differsAt, pair: stepped(search, base, from) };
  }
  const inBlock = isCompiled(search) ? stoppedInBlocks(search, base, to, to + BEYOND[1]) : undefined;
  if (inBlock !== undefined) return atStop(search, base, inBlock);
  return likely ?? { ...found(base, whole), differsAt: to, pair: replay(search, base) };
}

/** What is told of a place where both differ, being stopped there. */
function atStop(search: SearchInput, base: number, { at, block, differences }: Stopped): Pinpoint {
  // Compiled code is not stopped amid a block: a block that has to be is interpreted.
  const isBlock = isCompiled(search) && !hasGoneAstray(differences);
  const start = stepped(search, base, isBlock ? block : at - 1).sides[1];
  const executed = (isBlock ? firstOfLastWriters(start, at, differences) : undefined) ?? at - 1;
  const rest = { differences, pair: stepped(search, base, executed) };
  return isBlock
    ? { ...rest, executed, sameAt: block, differsAt: at, certainty: 'likely' }
    : { ...rest, executed, sameAt: executed, differsAt: at, certainty: 'exact' };
}

function isCompiled({ engines }: SearchInput): boolean {
  return engines.some(({ name }) => name === 'wasm');
}

/** They stand at different places: what ends the block has led there. */
function hasGoneAstray(differences: Differences): boolean {
  return differences.some(({ kind }) => kind === 'place' || kind === 'instructions' || kind === 'end');
}

function found(executed: number, differences: Differences) {
  return { executed, sameAt: executed, differences, certainty: 'likely' } as const;
}

/** What differs when `pair` is run up to `to` instructions; undefined: nothing. */
function differing(pair: LockstepPair, to: number, { breakpoints }: SearchInput): Differences | undefined {
  const { differences } = pair.runTo(to, breakpoints);
  return differences.length > 0 ? differences : undefined;
}
