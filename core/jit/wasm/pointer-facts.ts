import { MAX_BPF_STACK } from '../../vm/layout.ts';
import type { Flow } from './flow.ts';
import { ARGUMENTS, AX, type JitOp } from './ops.ts';

/** In `Facts`: a distance that is not known. */
export const UNKNOWN = -0x8000_0000;
/**
 * What a register may point into: nothing is known of it; the function's frame; it is 0, which goes with everything;
 * a region's id; or, from FIRST_SITE down, whatever region it pointed into at some place (`siteAt`).
 */
export const NOWHERE = 0;
export const FRAME = -1;
const NULL = -2;
const FIRST_SITE = -16;
const N_REGS = AX + 1;
const R0 = 1;
const R10 = 10;
/** Distances that are worth following. */
const FAR = 1 << 20;

/**
 * What is known at a place of a function, on every way that leads there from its entry, in words: for R0 … AX
 * the distance from the start of its region (of the frame: from its end), or UNKNOWN; the region of each; the bytes
 * of the frame that were written since it was entered, a bit each, from its lowest address up; the registers that
 * have a value, as `CPU_INITIALISED` has them. All of it is certain, but a region without a distance: that is
 * where the register probably points to.
 */
export type Facts = Int32Array;

/** Where an address stands that an instruction loads: region and distance from its start. */
export interface Pointer {
  readonly region: number;
  readonly distance: number;
}

/** What facts are made with. */
export interface FactsContext {
  /** What a map load loads, where all of the map's values lie in one region. */
  readonly pointer: (op: JitOp) => Pointer | undefined;
}

/** A place where registers may get other regions: the entry of a function, behind a slot, the start of a block. */
export type Place = 'entry' | { readonly behind: number } | { readonly block: number };

/** What register `reg` points into at a place, whatever that is. */
export function siteAt(place: Place, reg: number): number {
  return FIRST_SITE - placeNumber(place) * N_REGS - reg;
}

/** Whether a region is one that is found out while the program runs. */
export function isSite(region: number): boolean {
  return region <= FIRST_SITE;
}

function placeNumber(place: Place): number {
  if (place === 'entry') return 0;
  return 'behind' in place ? 1 + 2 * place.behind : 2 + 2 * place.block;
}

const REGION = N_REGS;
const WRITTEN = REGION + N_REGS;
const INITIALISED = WRITTEN + MAX_BPF_STACK / 32;
const N_FACTS = INITIALISED + 1;

/** Room for the facts at one place. */
export function newFacts(): Facts {
  return new Int32Array(N_FACTS);
}

/** Registers that have a value for certain, a bit each. */
export function initialisedOf(facts: Facts): number {
  return facts[INITIALISED] ?? 0;
}

/** Facts at the start of each block of a function: one array, because there can be tens of thousands. */
export class PointerFacts {
  readonly #all: Int32Array;

  constructor(flow: Flow, context: FactsContext) {
    const n = flow.blocks.length;
    this.#all = new Int32Array(n * N_FACTS);
    const isKnown = new Uint8Array(n);
    // At the entry: R10 points to the frame's end; nothing else is certain.
    this.#all.fill(UNKNOWN, 0, REGION);
    for (let reg = 0; reg < R10; reg++) this.#all[REGION + reg] = siteAt('entry', reg);
    this.#all[R10] = 0;
    this.#all[REGION + R10] = FRAME;
    this.#all[INITIALISED] = 1 << R10;
    isKnown[0] = 1;
    const facts = newFacts();
    // Blocks whose facts have changed since they were passed through.
    const isOpen = new Uint8Array(n).fill(1);
    for (let again = true; again; ) {
      again = false;
      for (let index = 0; index < n; index++) {
        const block = flow.blocks[index];
        if (block === undefined || isOpen[index] === 0) continue;
        isOpen[index] = 0;
        this.read(index, facts);
        for (const op of block.ops) passFacts(facts, op, context);
        for (const to of block.succ) {
          if (isKnown[to] === 0) this.#all.set(facts, to * N_FACTS);
          else if (!this.#join(to, facts)) continue;
          isKnown[to] = 1;
          isOpen[to] = 1;
          if (to <= index) again = true;
        }
      }
    }
  }

  /** Copies the facts at the start of block `index`. */
  read(index: number, into: Facts): void {
    const first = index * N_FACTS;
    for (let i = 0; i < N_FACTS; i++) into[i] = this.#all[first + i] ?? 0;
  }

  /** Leaves for block `index` what holds in both; whether that changed it. */
  #join(index: number, other: Facts): boolean {
    const all = this.#all;
    const first = index * N_FACTS;
    let changed = false;
    for (let i = 0; i < N_FACTS; i++) {
      const before = all[first + i] ?? 0;
      const its = other[i] ?? 0;
      if (before === its) continue;
      const both =
        i < REGION ? UNKNOWN : i < WRITTEN ? joinRegions(before, its, index, i - REGION) : before & its;
      if (both === before) continue;
      all[first + i] = both;
      changed = true;
    }
    return changed;
  }
}

/** What a register points into at the start of a block that is reached with two regions of it. */
function joinRegions(before: number, other: number, block: number, reg: number): number {
  if (before === NULL) return other;
  return other === NULL ? before : siteAt({ block }, reg);
}

/** Makes of the facts in front of `op` those behind it. */
export function passFacts(facts: Facts, op: JitOp, context: FactsContext): void {
  const flow = op.flow;
  if (flow === 'trap') return;
  const lowering = op.lowering;
  const region = movedRegion(facts, op, context);
  const distance = region === NOWHERE ? UNKNOWN : movedDistance(facts, op, context);
  if (lowering === 'native') noteStore(facts, op);
  let changed = op.changes;
  if (flow === 'call' || (lowering === 'step' && op.callsOut)) {
    changed |= R0 | ARGUMENTS | (1 << AX);
    facts[INITIALISED] = initialisedOf(facts) & ~(R0 | ARGUMENTS);
  } else if (lowering === 'lookup') facts[INITIALISED] = initialisedOf(facts) & ~ARGUMENTS;
  else if (lowering === 'step') {
    changed |= R0 | (1 << AX);
    facts[INITIALISED] = initialisedOf(facts) & ~ARGUMENTS;
  }
  const mayMove = flow === 'call' || lowering === 'step';
  for (let reg = 0; reg <= AX; reg++) {
    const isChanged = (changed & (1 << reg)) !== 0;
    if (isChanged) facts[reg] = UNKNOWN;
    // What is called may have changed the regions that others point into.
    if (isChanged ? mayMove : mayMove && isSite(facts[REGION + reg] ?? NOWHERE)) {
      facts[REGION + reg] = siteAt({ behind: op.slot }, reg);
    } else if (isChanged) facts[REGION + reg] = NOWHERE;
  }
  if (lowering === 'step') return;
  facts[INITIALISED] = initialisedOf(facts) | op.writes;
  if (region === NOWHERE) return;
  facts[op.dst] = distance;
  facts[REGION + op.dst] = region;
}

/** What dst points into behind `op`; NOWHERE also where `op` leaves dst alone. */
function movedRegion(facts: Facts, op: JitOp, context: FactsContext): number {
  const dst = facts[REGION + op.dst] ?? NOWHERE;
  const src = facts[REGION + op.src] ?? NOWHERE;
  switch (op.id) {
    case 'mov64_reg':
      return src;
    case 'mov64_imm':
    case 'mov32_imm':
      return op.imm === 0 ? NULL : NOWHERE;
    case 'add64_imm':
    case 'sub64_imm':
      return dst === NULL ? NOWHERE : dst;
    case 'add64_reg':
      return sumRegion(dst, src);
    case 'sub64_reg':
      return src === NOWHERE || src === NULL || (isSite(src) && !isSite(dst))
        ? sumRegion(dst, NOWHERE)
        : NOWHERE;
    case 'ldxdw':
      return siteAt({ behind: op.slot }, op.dst);
    case 'lddw_map_fd':
    case 'lddw_map_value':
      return context.pointer(op)?.region ?? NOWHERE;
    default:
      return NOWHERE;
  }
}

/** Where the sum of two values points to: one of them is a number, most likely. */
function sumRegion(a: number, b: number): number {
  const [first, second] = [a === NULL ? NOWHERE : a, b === NULL ? NOWHERE : b];
  if (second === NOWHERE) return first;
  if (first === NOWHERE) return second;
  // A loaded value may be a number; what a map load gives is none.
  if (isSite(first) === isSite(second)) return NOWHERE;
  return isSite(first) ? second : first;
}

/** Its distance. */
function movedDistance(facts: Facts, op: JitOp, context: FactsContext): number {
  if (op.id === 'mov64_reg') return facts[op.src] ?? UNKNOWN;
  if (op.id === 'lddw_map_fd' || op.id === 'lddw_map_value') return context.pointer(op)?.distance ?? UNKNOWN;
  if (op.id !== 'add64_imm') return UNKNOWN;
  const before = facts[op.dst] ?? UNKNOWN;
  const after = before + op.imm;
  return before === UNKNOWN || Math.abs(after) > FAR ? UNKNOWN : after;
}

/** What register `reg` probably points into: FRAME, a region's id, a site, or NOWHERE. */
export function regionOf(facts: Facts, reg: number): number {
  const region = facts[REGION + reg] ?? NOWHERE;
  return region === NULL ? NOWHERE : region;
}

/** Distance of `reg` from the start of its region; undefined when it is not certain. */
export function distanceOf(facts: Facts, reg: number): number | undefined {
  const distance = facts[reg] ?? UNKNOWN;
  return distance === UNKNOWN ? undefined : distance;
}

/** Offset in the frame, from its lowest address, of the access of `op` through `reg`; undefined when it is not certainly inside. */
export function frameOffset(facts: Facts, reg: number, op: JitOp, size: number): number | undefined {
  const fp = facts[reg] ?? UNKNOWN;
  if (fp === UNKNOWN || facts[REGION + reg] !== FRAME) return undefined;
  const offset = MAX_BPF_STACK + fp + op.off;
  return offset >= 0 && offset + size <= MAX_BPF_STACK ? offset : undefined;
}

/** Whether all of these bytes of the frame have been written for certain. */
export function isWritten(facts: Facts, offset: number, size: number): boolean {
  for (let byte = offset; byte < offset + size; byte++) {
    if (((facts[WRITTEN + (byte >> 5)] ?? 0) & (1 << (byte & 31))) === 0) return false;
  }
  return true;
}

function noteStore(facts: Facts, op: JitOp): void {
  if (!op.writesMemory) return;
  const offset = frameOffset(facts, op.dst, op, op.access);
  if (offset === undefined) return;
  for (let byte = offset; byte < offset + op.access; byte++) {
    const word = WRITTEN + (byte >> 5);
    facts[word] = (facts[word] ?? 0) | (1 << (byte & 31));
  }
}
