import { decodeProg } from '../interp/decode.ts';
import { reference } from '../interp/reference.ts';
import { type LockstepPair, type LockstepPast, type PairOutcome, replayed } from './lockstep-pair.ts';
import type { LockstepSide } from './lockstep-side.ts';
import type { StateDifference } from './lockstep-state.ts';

/** Parts that a range of instructions is cut into, to look for the one in which a difference arises. */
const PARTS = 64;

/** What a search needs to do everything again. */
export interface SearchInput extends LockstepPast {
  /** Engines run as if there were breakpoints. */
  readonly breakpoints: boolean;
}

/** Instructions on the current input: both are equal at `from`, and differ at `to`. */
export interface DifferingRange {
  readonly from: number;
  readonly to: number;
  readonly outcome: PairOutcome;
}

/** Where a difference arises. */
export interface Pinpoint {
  /** Instructions on this input that both execute with the same result. */
  readonly executed: number;
  /** Instructions after which they are known to differ. */
  readonly differsAt: number;
  /**
   * `exact`: the next instruction makes the difference. `likely`: it shows only where more than one instruction is
   * executed at once; the next instruction, or one of the few behind it, makes it. `once`: it did not happen again
   * when the same was done once more.
   */
  readonly certainty: 'exact' | 'likely' | 'once';
  readonly differences: readonly StateDifference[];
  /** Both before that instruction. */
  readonly pair: LockstepPair;
}

/**
 * Finds the first instruction that makes a difference: goes back to where both were equal, that is, does everything
 * again in fresh machines, and cuts the range into parts until one instruction is left. A difference that hides when
 * parts become small (compiled code takes over for longer runs only) is looked for from its other end: the last
 * instruction from which on both must be executed by their engines for it to show.
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
  while (range.to - range.from > 1) {
    const part = Math.ceil((range.to - range.from) / PARTS);
    const next = firstPart(search, range, part);
    if (next === undefined) return fromItsEnd(search, range);
    range = next;
  }
  return {
    executed: range.from,
    differsAt: range.to,
    certainty: 'exact',
    differences: range.outcome.differences,
    pair: replay(search, range.from),
  };
}

/** The first part of so many instructions in which both become different; undefined: in none. */
function firstPart(search: SearchInput, range: DifferingRange, part: number): DifferingRange | undefined {
  const pair = replay(search, range.from);
  for (let from = range.from; from < range.to; from += part) {
    const to = Math.min(from + part, range.to);
    const outcome = pair.runTo(to, search.breakpoints);
    if (outcome.differences.length > 0) return { from, to, outcome };
    if (outcome.causes[0].kind !== 'budget') return undefined;
  }
  return undefined;
}

function fromItsEnd(search: SearchInput, range: DifferingRange): Pinpoint {
  const base = range.from;
  const whole = between(search, base, base, range.to);
  if (whole === undefined) {
    const { differences } = range.outcome;
    const pair = replay(search, base);
    return { executed: base, differsAt: range.to, certainty: 'once', differences, pair };
  }
  let [from, to, outcome] = [base, range.to, whole];
  for (let end = to; end - from > 1; ) {
    const middle = from + Math.floor((end - from) / 2);
    const here = between(search, base, middle, to);
    if (here === undefined) end = middle;
    else [from, outcome] = [middle, here];
  }
  for (let end = from; to - end > 1; ) {
    const middle = end + Math.floor((to - end) / 2);
    const here = between(search, base, from, middle);
    if (here === undefined) end = middle;
    else [to, outcome] = [middle, here];
  }
  const { differences } = outcome;
  const executed = lastWriter(stepped(search, base, from).sides[0], to, differences) ?? from;
  const pair = stepped(search, base, executed);
  return { executed, differsAt: to, certainty: 'likely', differences, pair };
}

/** Both after `count` instructions, those from `base` on executed by `reference`. */
function stepped(search: SearchInput, base: number, count: number): LockstepPair {
  const pair = replay(search, base);
  for (const side of pair.sides) side.runTo(count, false, reference);
  return pair;
}

/** Whether both differ at `to` when their own engines execute from `from` on, after `reference` did from `base` on. */
function between(search: SearchInput, base: number, from: number, to: number): PairOutcome | undefined {
  const outcome = stepped(search, base, from).runTo(to, search.breakpoints);
  return outcome.differences.length > 0 ? outcome : undefined;
}

/**
 * From where `side` stands up to `to` instructions: for each of the differences the last instruction that writes there,
 * and the first of these. Undefined: none does, or the way is a loop, in which the last say nothing.
 */
function lastWriter(
  side: LockstepSide,
  to: number,
  differences: readonly StateDifference[],
): number | undefined {
  const targets = differences.flatMap(({ target }) => (target === undefined ? [] : [target]));
  const last = new Map<object, number>();
  const passed = new Set<string>();
  for (let at = side.executed; at < to; at++) {
    const { cpu } = side;
    const here = `${cpu.prog.id} ${cpu.depth} ${cpu.pc}`;
    if (passed.has(here)) return undefined;
    passed.add(here);
    const before = targets.map((target) => contentsOf(side, target));
    const written = writtenBy(side);
    const cause = side.runTo(at + 1, false, reference);
    for (const [index, target] of targets.entries()) {
      const isWritten = 'register' in target && (written & (1 << target.register)) !== 0;
      if (isWritten || contentsOf(side, target) !== before[index]) last.set(target, at);
    }
    if (cause.kind !== 'budget') break;
  }
  return last.size === 0 ? undefined : Math.min(...last.values());
}

/** Bits of the registers that the next instruction writes. */
function writtenBy({ cpu }: LockstepSide): number {
  return decodeProg(cpu.prog)[cpu.pc]?.writes ?? 0;
}

type Target = NonNullable<StateDifference['target']>;

function contentsOf({ cpu, machine }: LockstepSide, target: Target): bigint | number | undefined {
  if ('register' in target) return cpu.readReg(target.register);
  const region = machine.space.byId(target.region);
  return region === undefined ? undefined : machine.memory.bytes[region.base + target.offset];
}

function replay(search: SearchInput, count: number): LockstepPair {
  return replayed(search, count, search.breakpoints);
}
