import { hexText } from '../../bytes/hex.ts';
import * as layout from '../../vm/layout.ts';
import type { Machine } from '../../vm/machine.ts';
import type { Region } from '../../vm/region.ts';
import { placeText, type Side, type SideCause } from './side.ts';

/** What can differ between two engines that execute the same program. */
export type DifferenceKind =
  /** How the run ended, or that it did. */
  | 'end'
  | 'fault'
  /** Instructions executed. */
  | 'instructions'
  /** Where the program stands: program, instruction, depth of calls. */
  | 'place'
  | 'register'
  /** What a call has kept of its caller. */
  | 'frame'
  | 'stack'
  | 'packet'
  | 'context'
  | 'map'
  | 'memory'
  | 'output'
  /** What programs see by helpers only: random numbers, the clock, tail calls made. */
  | 'state';

/** One thing that is not the same in both. */
export interface StateDifference {
  readonly kind: DifferenceKind;
  /** `r3`, `stack of main: fp - 8`, `counters[0x2]`. */
  readonly name: string;
  /** As people read it, the first engine's and the second's. */
  readonly values: readonly [string, string];
  /** Where an instruction would have to write to make it; undefined where it is no such thing. */
  readonly target?:
    | { readonly register: number }
    | { readonly region: number; readonly offset: number }
    | undefined;
}

/** Differences that are told at most: what follows from the first ones says little. */
const MAX_DIFFERENCES = 8;
/** Bytes of a value that are shown. */
const SHOWN = 8;

/** What is not compared. */
export interface CompareOptions {
  /** AX, the hidden register of rewritten programs: machine code uses it in its own way. */
  readonly ignoreAx: boolean;
  /** What was printed, where somebody has taken it away. */
  readonly ignoreOutput?: boolean;
}

/** Why two engines stopped, where that is not the same: how the run ended, or the fault. */
export function causeDifferences([a, b]: readonly [SideCause, SideCause]): StateDifference[] {
  if (a.kind !== b.kind)
    return [{ kind: 'end', name: 'end of the run', values: [causeText(a), causeText(b)] }];
  if (a.kind === 'failed' && b.kind === 'failed' && a.message !== b.message) {
    return [{ kind: 'end', name: 'end of the run', values: [causeText(a), causeText(b)] }];
  }
  if (a.kind !== 'fault' || b.kind !== 'fault') return [];
  const differing = FAULT_FIELDS.filter((field) => a.fault[field] !== b.fault[field]);
  return differing.map((field) => ({
    kind: 'fault',
    name: `fault: ${FAULT_NAMES[field]}`,
    values: [fieldText(a.fault[field]), fieldText(b.fault[field])],
  }));
}

const FAULT_FIELDS = ['kind', 'pc', 'xlatedPc', 'address', 'size', 'region', 'message'] as const;
const FAULT_NAMES: Record<(typeof FAULT_FIELDS)[number], string> = {
  kind: 'kind',
  pc: 'instruction',
  xlatedPc: 'slot of the rewritten program',
  address: 'address',
  size: 'bytes accessed',
  region: 'nearest object',
  message: 'text',
};

function fieldText(value: bigint | number | string | undefined): string {
  return typeof value === 'bigint' ? hex(value) : String(value ?? 'none');
}

function causeText(cause: SideCause): string {
  switch (cause.kind) {
    case 'exit':
      return 'exit';
    case 'fault':
      return `fault: ${cause.fault.message}`;
    case 'failed':
      return `the engine fails: ${cause.message}`;
    case 'breakpoint':
      return 'goes on to a breakpoint';
    case 'budget':
    case 'pause':
      return 'goes on';
  }
}

/**
 * Compares all that two machines hold which were loaded alike: registers that have a value, frames, every object in
 * memory with what is written of stacks, output, random numbers and the clock. Linear addresses are left out, for
 * engines keep things of their own in memory. The first differences in the order of `DifferenceKind`, 8 at most.
 */
export function compareStates(a: Side, b: Side, options: CompareOptions): StateDifference[] {
  const found = compareCpus(a, b, options);
  if (!options.ignoreOutput) found.push(...compareOutput(a.machine, b.machine));
  if (found.length < MAX_DIFFERENCES) found.push(...compareRegions(a, b, MAX_DIFFERENCES - found.length));
  // A map is several objects, all of which tell of the same entry.
  return found
    .filter((one, at) => found.findIndex(({ name }) => name === one.name) === at)
    .slice(0, MAX_DIFFERENCES);
}

function compareCpus(a: Side, b: Side, { ignoreAx }: CompareOptions): StateDifference[] {
  const found: StateDifference[] = [];
  const add = (kind: DifferenceKind, name: string, x: string, y: string, register?: number): void => {
    if (x !== y)
      found.push({ kind, name, values: [x, y], ...(register === undefined ? {} : { target: { register } }) });
  };
  const [left, right] = [a.cpu, b.cpu];
  add('instructions', 'instructions executed', `${left.insnsExecuted}`, `${right.insnsExecuted}`);
  const isSamePlace = left.pc === right.pc && left.depth === right.depth && left.prog.id === right.prog.id;
  if (!isSamePlace) add('place', 'next instruction', ...placeTexts(a, b));
  const value = (cpu: typeof left, n: number): string =>
    (cpu.regInitialised & (1 << n)) === 0 ? 'no value' : hex(cpu.readReg(n));
  for (let n = 0; n <= 10; n++) add('register', `r${n}`, value(left, n), value(right, n), n);
  if (!ignoreAx) add('register', 'ax', hex(left.readReg(11)), hex(right.readReg(11)));
  if (left.depth === right.depth) compareFrames(a, b, add);
  add('state', 'tail calls made', `${left.tailCalls}`, `${right.tailCalls}`);
  add(
    'state',
    'random generator',
    hexOf(a, left.block + layout.CPU_RANDOM, 16),
    hexOf(b, right.block + layout.CPU_RANDOM, 16),
  );
  add('state', 'clock', hexOf(a, layout.HEADER_CLOCK_BASE, 8), hexOf(b, layout.HEADER_CLOCK_BASE, 8));
  return found;
}

/** Where both stand; with the slots where one instruction as loaded became several, and both stand in front of some of them. */
function placeTexts(a: Side, b: Side): [string, string] {
  const [x, y] = [placeText(a), placeText(b)];
  const slot = ({ cpu }: Side): string => `slot ${cpu.pc} of the rewritten program, at depth ${cpu.depth}`;
  return x === y ? [`${x}, ${slot(a)}`, `${y}, ${slot(b)}`] : [x, y];
}

function compareFrames(
  a: Side,
  b: Side,
  add: (kind: DifferenceKind, name: string, x: string, y: string) => void,
): void {
  for (let depth = 0; depth <= a.cpu.depth; depth++) {
    const field = (side: Side, offset: number): number =>
      side.machine.memory.view.getUint32(layout.frameRecord(side.cpu.block, depth) + offset, true);
    const words = (name: string, offset: number): void =>
      add('frame', `frame ${depth}: ${name}`, `${field(a, offset)}`, `${field(b, offset)}`);
    words('first slot of its function', layout.FRAME_START);
    words('may_goto iterations left', layout.FRAME_MAY_GOTO);
    const below = (side: Side): string =>
      hexOf(side, layout.frameRecord(side.cpu.block, depth) + layout.FRAME_BELOW, layout.FRAME_BELOW_SIZE);
    add('frame', `frame ${depth}: counter of may_goto`, below(a), below(b));
    if (depth === 0) continue;
    words('slot to return to', layout.FRAME_RETURN);
    words("its caller's program", layout.FRAME_CALLER_PROG);
    words("its caller's registers with a value", layout.FRAME_CALLER_INITIALISED);
    const kept = field(a, layout.FRAME_CALLER_INITIALISED);
    for (let reg = 6; reg <= 9; reg++) {
      if ((kept & (1 << reg)) === 0) continue;
      const saved = (side: Side): string => {
        const at = layout.frameRecord(side.cpu.block, depth) + layout.FRAME_SAVED + (reg - 6) * 8;
        return hex(side.machine.memory.view.getBigUint64(at, true));
      };
      add('frame', `r${reg} of frame ${depth - 1}`, saved(a), saved(b));
    }
  }
}

function compareOutput(a: Machine, b: Machine): StateDifference[] {
  const lines = Math.max(a.output.length, b.output.length);
  for (let line = 0; line < lines; line++) {
    const values = [a.output[line], b.output[line]];
    if (values[0] === values[1]) continue;
    const [x = 'not printed', y = 'not printed'] = values.map((text) => text && JSON.stringify(text));
    return [{ kind: 'output', name: `line ${line + 1} of what was printed`, values: [x, y] }];
  }
  return [];
}

function compareRegions(a: Side, b: Side, most: number): StateDifference[] {
  const found: StateDifference[] = [];
  const [left, right] = [a.machine.space.regions(), b.machine.space.regions()];
  // Values of hash maps have windows of their own into memory that is compared as one piece.
  const pools: { readonly from: number; readonly to: number }[] = [];
  for (let i = 0; i < Math.max(left.length, right.length) && found.length < most; i++) {
    const [x, y] = [left[i], right[i]];
    if (x === undefined || y === undefined || x.id !== y.id || x.size !== y.size || x.perm !== y.perm) {
      const name = `object ${x?.name ?? y?.name}`;
      found.push({ kind: kindOf(x ?? y), name, values: [extent(x), extent(y)] });
      if (x?.id !== y?.id) break;
      continue;
    }
    const { base } = x;
    if (x.kind === 'map_value') {
      if (pools.some(({ from, to }) => base >= from && base < to)) continue;
      pools.push({ from: base, to: base + x.size });
    }
    const offset = firstDifference(a.machine, base, b.machine, y.base, x.size);
    const [shadow, other] = [shadowOf(a.machine, x.id), shadowOf(b.machine, x.id)];
    const written =
      shadow === 0 || x.size === 0
        ? -1
        : firstDifference(a.machine, shadow, b.machine, other, layout.MAX_BPF_STACK);
    if (offset >= 0) found.push(contents(a, b, x, offset));
    else if (written >= 0) found.push(writtenOf(a, b, x, written, [shadow, other]));
  }
  return found;
}

function extent(region: Region | undefined): string {
  return region === undefined ? 'not there' : `${region.size} bytes, ${region.perm}`;
}

function contents(a: Side, b: Side, region: Region, offset: number): StateDifference {
  const kind = kindOf(region);
  const map = kind === 'map' ? mapDifference(a.machine, b.machine) : undefined;
  const target = { region: region.id, offset };
  if (map !== undefined) return { ...map, target };
  const from = offset - (offset % SHOWN);
  const size = Math.min(SHOWN, region.size - from);
  const name = a.machine.space.describe(region.addr + BigInt(from)) ?? region.name;
  const bytes = (machine: Machine): string =>
    hexText(machine.space.read(region.addr + BigInt(from), size) ?? new Uint8Array(), ' ');
  return { kind, name: `${name}, ${size} bytes`, values: [bytes(a.machine), bytes(b.machine)], target };
}

function writtenOf(
  a: Side,
  b: Side,
  region: Region,
  offset: number,
  [x, y]: readonly [number, number],
): StateDifference {
  const name = a.machine.space.describe(region.addr + BigInt(offset)) ?? region.name;
  const text = (machine: Machine, shadow: number): string =>
    machine.memory.view.getUint8(shadow + offset) === 0 ? 'not written' : 'written';
  const values = [text(a.machine, x), text(b.machine, y)] as const;
  return { kind: kindOf(region), name, values, target: { region: region.id, offset } };
}

/** The first entry of a map that differs; undefined: it is something that only the map itself sees, such as an order. */
function mapDifference(a: Machine, b: Machine): StateDifference | undefined {
  for (const [id, map] of a.maps) {
    const other = b.maps.get(id);
    if (other === undefined) continue;
    const theirs = new Map(Array.from(other.entries(), ([key, value]) => [hexText(key), hexText(value)]));
    const entry = (key: string, x: string, y: string): StateDifference => ({
      kind: 'map',
      name: `${map.def.name}[${key}]`,
      values: [x, y],
    });
    for (const [key, value] of map.entries()) {
      const text = hexText(key);
      const [x, y] = [hexText(value), theirs.get(text) ?? 'no such entry'];
      if (x !== y) return entry(text, x, y);
      theirs.delete(text);
    }
    const [more] = theirs;
    if (more !== undefined) return entry(more[0], 'no such entry', more[1]);
  }
  return undefined;
}

function kindOf(region: Region | undefined): DifferenceKind {
  switch (region?.kind) {
    case 'stack':
      return 'stack';
    case 'packet':
      return 'packet';
    case 'ctx':
      return 'context';
    case 'map':
    case 'map_value':
      return 'map';
    default:
      return 'memory';
  }
}

/** Linear address of the shadow of the region in window `id`; 0: it has none. */
export function shadowOf({ memory }: Machine, id: number): number {
  const table = memory.view.getUint32(layout.HEADER_REGION_TABLE, true);
  return memory.view.getUint32(table + (id << layout.REGION_ENTRY_SHIFT) + layout.REGION_SHADOW, true);
}

/** Offset of the first of `size` bytes at linear addresses of two machines that is not the same; −1: all are. */
export function firstDifference(a: Machine, atA: number, b: Machine, atB: number, size: number): number {
  let offset = 0;
  if (((atA | atB) & 3) === 0) {
    const [x, y] = [a.memory.words, b.memory.words];
    const [i, j] = [atA >> 2, atB >> 2];
    const count = size >> 2;
    let word = 0;
    while (word < count && x[i + word] === y[j + word]) word++;
    offset = word * 4;
  }
  const [x, y] = [a.memory.bytes, b.memory.bytes];
  while (offset < size && x[atA + offset] === y[atB + offset]) offset++;
  return offset < size ? offset : -1;
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}

function hexOf({ machine }: Side, at: number, size: number): string {
  return hexText(machine.memory.copy(at, size));
}
