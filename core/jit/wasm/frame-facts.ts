import type { Op } from '../../interp/op.ts';
import { rowById } from '../../isa/decode.ts';
import { MAX_BPF_STACK } from '../../vm/layout.ts';
import type { Flow } from './flow.ts';
import { ARGUMENTS, AX, changes, dstOf, flowOf, type Lowering, srcOf } from './ops.ts';

/** In `Facts`: a distance that is not known. */
export const UNKNOWN = -0x8000_0000;
/** What a register may point into: nothing is known of it; the function's frame; it is 0, which goes with everything; else a region's id. */
export const NOWHERE = 0;
export const FRAME = -1;
const NULL = -2;
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
  /** How an op is compiled. */
  readonly lowering: (op: Op) => Lowering;
  /** What a map load loads, where all of the map's values lie in one region. */
  readonly pointer: (op: Op) => Pointer | undefined;
}

const REGION = AX + 1;
const WRITTEN = REGION + AX + 1;
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
export class FrameFacts {
  readonly #all: Int32Array;

  constructor(flow: Flow, context: FactsContext) {
    const n = flow.blocks.length;
    this.#all = new Int32Array(n * N_FACTS);
    const isKnown = new Uint8Array(n);
    // At the entry: R10 points to the frame's end; nothing else is certain.
    this.#all.fill(UNKNOWN, 0, REGION);
    this.#all[R10] = 0;
    this.#all[REGION + R10] = FRAME;
    this.#all[INITIALISED] = 1 << R10;
    isKnown[0] = 1;
    const facts = newFacts();
    for (let again = true; again; ) {
      again = false;
      flow.blocks.forEach((block, index) => {
        this.read(index, facts);
        for (const op of block.ops) passFacts(facts, op, context);
        for (const to of block.succ) {
          if (isKnown[to]) again = this.#join(to, facts) && to <= index ? true : again;
          else this.#all.set(facts, to * N_FACTS);
          isKnown[to] = 1;
        }
      });
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
      const both = i < REGION ? UNKNOWN : i < WRITTEN ? joinRegions(before, its) : before & its;
      if (both === before) continue;
      all[first + i] = both;
      changed = true;
    }
    return changed;
  }
}

function joinRegions(a: number, b: number): number {
  if (a === NULL) return b;
  return b === NULL ? a : NOWHERE;
}

/** Makes of the facts in front of `op` those behind it. */
export function passFacts(facts: Facts, op: Op, context: FactsContext): void {
  const flow = flowOf(op);
  if (flow === 'trap') return;
  const lowering = context.lowering(op);
  const region = movedRegion(facts, op, context);
  const distance = region === NOWHERE ? UNKNOWN : movedDistance(facts, op, context);
  if (lowering === 'native') noteStore(facts, op);
  let changed = changes(op);
  if (flow === 'call' || (lowering === 'step' && rowById(op.id).flow === 'call')) {
    changed |= R0 | ARGUMENTS | (1 << AX);
    facts[INITIALISED] = initialisedOf(facts) & ~(R0 | ARGUMENTS);
  } else if (lowering === 'lookup') facts[INITIALISED] = initialisedOf(facts) & ~ARGUMENTS;
  else if (lowering === 'step') {
    changed |= R0 | (1 << AX);
    facts[INITIALISED] = initialisedOf(facts) & ~ARGUMENTS;
  }
  for (let reg = 0; reg <= AX; reg++) {
    if ((changed & (1 << reg)) === 0) continue;
    facts[reg] = UNKNOWN;
    facts[REGION + reg] = NOWHERE;
  }
  if (lowering === 'step') return;
  facts[INITIALISED] = initialisedOf(facts) | op.writes;
  if (region === NOWHERE) return;
  facts[dstOf(op)] = distance;
  facts[REGION + dstOf(op)] = region;
}

/** What dst points into behind `op`; NOWHERE also where `op` leaves dst alone. */
function movedRegion(facts: Facts, op: Op, context: FactsContext): number {
  const dst = facts[REGION + dstOf(op)] ?? NOWHERE;
  const src = facts[REGION + srcOf(op)] ?? NOWHERE;
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
      if (src === NOWHERE || src === NULL) return dst === NULL ? NOWHERE : dst;
      return dst === NOWHERE || dst === NULL ? src : NOWHERE;
    case 'sub64_reg':
      return (src === NOWHERE || src === NULL) && dst !== NULL ? dst : NOWHERE;
    case 'lddw_map_fd':
    case 'lddw_map_value':
      return context.pointer(op)?.region ?? NOWHERE;
    default:
      return NOWHERE;
  }
}

/** Its distance. */
function movedDistance(facts: Facts, op: Op, context: FactsContext): number {
  if (op.id === 'mov64_reg') return facts[srcOf(op)] ?? UNKNOWN;
  if (op.id === 'lddw_map_fd' || op.id === 'lddw_map_value') return context.pointer(op)?.distance ?? UNKNOWN;
  if (op.id !== 'add64_imm') return UNKNOWN;
  const before = facts[dstOf(op)] ?? UNKNOWN;
  const after = before + op.imm;
  return before === UNKNOWN || Math.abs(after) > FAR ? UNKNOWN : after;
}

/** What register `reg` probably points into: FRAME, a region's id, or NOWHERE. */
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
export function frameOffset(facts: Facts, reg: number, op: Op, size: number): number | undefined {
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

function noteStore(facts: Facts, op: Op): void {
  const row = rowById(op.id);
  // Memory is written through dst where dst itself is only read.
  if (row.access === undefined || row.dst !== 'r') return;
  const offset = frameOffset(facts, dstOf(op), op, row.access);
  if (offset === undefined) return;
  for (let byte = offset; byte < offset + row.access; byte++) {
    const word = WRITTEN + (byte >> 5);
    facts[word] = (facts[word] ?? 0) | (1 << (byte & 31));
  }
}
