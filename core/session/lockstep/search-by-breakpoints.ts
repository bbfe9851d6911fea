import { decodeProg } from '../../interp/decode.ts';
import type { Op } from '../../interp/op.ts';
import { reference } from '../../interp/reference.ts';
import { smallest } from './bisect.ts';
import { type Differences, type SearchInput, stepped, warm } from './replay.ts';
import type { LockstepSide } from './side.ts';
import type { StateDifference } from './state.ts';

/** Where both differ, being stopped by breakpoints. */
export interface Stopped {
  /** Instructions on the input before the stop. */
  readonly at: number;
  /** The same at the begin of the straight code that leads there. */
  readonly block: number;
  readonly differences: Differences;
}

/**
 * The first place behind `from` at which both differ when breakpoints stop them there, not a number of instructions.
 * Undefined: there is none, up to the first place that they come to again.
 */
export function stoppedBehind(
  search: SearchInput,
  base: number,
  from: number,
  end: number,
): Stopped | undefined {
  const places = placesFrom(stepped(search, base, from).sides[1], end);
  const at = (index: number): Differences | undefined => stoppedAt(search, base, from, end, places[index]);
  const last = places.length - 1;
  const atLast = at(last);
  if (atLast === undefined) return undefined;
  const [behind, differences] = smallest(0, last, atLast, at);
  return stoppedThere(places, from, behind, differences);
}

/** Blocks that are looked at, and places where compiled code may begin, before one gives up. */
const MAX_BLOCKS = 16;
const MAX_ENTRIES = 6;

/**
 * The same for what is overwritten soon, so that no later place shows it: at the begin of each block behind the places
 * before instruction `to` where compiled code begins, the last of them first.
 */
export function stoppedInBlocks(
  search: SearchInput,
  base: number,
  to: number,
  end: number,
): Stopped | undefined {
  const first = Math.max(base, to - LOOKED_BACK);
  const entries = entriesFrom(stepped(search, base, first).sides[1], to);
  for (const from of entries.slice(-MAX_ENTRIES).reverse()) {
    const places = placesFrom(stepped(search, base, from).sides[1], end);
    const begins = places.flatMap((_, index) => (index > 0 && !places[index - 1]?.goesOn ? [index] : []));
    for (const index of begins.slice(0, MAX_BLOCKS)) {
      const differences = stoppedAt(search, base, from, end, places[index]);
      if (differences !== undefined) return stoppedThere(places, from, index, differences);
    }
  }
  return undefined;
}

/** Instructions before a difference that loops and functions are looked for in. */
const LOOKED_BACK = 2000;

/** What differs when breakpoints stop both at `place`, executed by their own engines from `from` on. */
function stoppedAt(
  search: SearchInput,
  base: number,
  from: number,
  end: number,
  place: Place | undefined,
): Differences | undefined {
  if (place === undefined) return undefined;
  const pair = warm({ ...search, breakpoints: true }, base, from, end);
  for (const side of pair.sides) {
    const prog = side.machine.progs.get(place.program);
    if (prog !== undefined) prog.breakpoints.set(place.slot, 1);
  }
  const { differences } = pair.run({ budget: end - from, breakpoints: true, resume: true });
  return differences.length > 0 ? differences : undefined;
}

function stoppedThere(
  places: readonly Place[],
  from: number,
  behind: number,
  differences: Differences,
): Stopped {
  let block = behind - 1;
  while (block > 0 && places[block - 1]?.goesOn) block--;
  return { at: from + behind, block: from + block, differences };
}

/**
 * From where `side` stands up to `to` instructions: the last instructions that write the places which differ, and of
 * these the first. Undefined: none does.
 */
export function firstOfLastWriters(
  side: LockstepSide,
  to: number,
  differences: Differences,
): number | undefined {
  const targets = differences.flatMap(({ target }) => (target === undefined ? [] : [target]));
  const last = new Map<Target, number>();
  for (let at = side.executed; at < to; at++) {
    const before = targets.map((target) => contentsOf(side, target));
    const written = opOf(side)?.writes ?? 0;
    const cause = side.runTo(at + 1, false, reference);
    for (const [index, target] of targets.entries()) {
      const isWritten = 'register' in target && (written & (1 << target.register)) !== 0;
      if (isWritten || contentsOf(side, target) !== before[index]) last.set(target, at);
    }
    if (cause.kind !== 'budget') break;
  }
  return last.size === 0 ? undefined : Math.min(...last.values());
}

type Target = NonNullable<StateDifference['target']>;

function contentsOf({ cpu, machine }: LockstepSide, target: Target): bigint | number | undefined {
  if ('register' in target) return cpu.readReg(target.register);
  const region = machine.space.byId(target.region);
  return region === undefined ? undefined : machine.memory.bytes[region.base + target.offset];
}

/** The instruction that is executed next. */
function opOf({ cpu }: LockstepSide): Op | undefined {
  return decodeProg(cpu.prog)[cpu.pc];
}

interface Place {
  readonly program: number;
  readonly slot: number;
  /** What is executed next stands behind it: no jump, no call. */
  readonly goesOn: boolean;
}

/** Counts at which `side` stands where a loop, a function or what follows a call begins, up to `to`. */
function entriesFrom(side: LockstepSide, to: number): readonly number[] {
  const entries: number[] = [];
  while (side.executed < to) {
    const { pc, depth } = side.cpu;
    if (side.runTo(side.executed + 1, false, reference).kind !== 'budget') break;
    if (side.cpu.pc <= pc || side.cpu.depth !== depth) entries.push(side.executed);
  }
  return entries;
}

/** Where `side` stands before each instruction from now on, up to `to` or to where it stands a second time. */
function placesFrom(side: LockstepSide, to: number): readonly Place[] {
  const places: Place[] = [];
  const passed = new Set<string>();
  while (side.executed < to) {
    const { cpu } = side;
    const op = opOf(side);
    const goesOn = op !== undefined && op.target === op.next && op.id !== 'exit';
    const place = { program: cpu.prog.id, slot: cpu.pc, goesOn };
    const key = `${place.program} ${place.slot}`;
    if (passed.has(key)) break;
    passed.add(key);
    places.push(place);
    if (side.runTo(side.executed + 1, false, reference).kind !== 'budget') break;
  }
  return places;
}
