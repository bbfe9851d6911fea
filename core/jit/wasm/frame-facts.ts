import type { Op } from '../../interp/op.ts';
import { rowById } from '../../isa/decode.ts';
import { MAX_BPF_STACK } from '../../vm/layout.ts';
import type { Flow } from './flow.ts';
import { ARGUMENTS, AX, changes, dstOf, flowOf, type Lowering, srcOf } from './ops.ts';

/** In `Facts`: a register that is not known to point into the frame. */
export const UNKNOWN = -0x8000_0000;
const R0 = 1;
const R10 = 10;
/** Distances from the frame pointer that are worth following. */
const FAR = 1 << 20;

/**
 * What is certain at a place of a function, on every way that leads there from its entry, in words: for R0 … AX
 * the distance from the frame pointer, or UNKNOWN; the bytes of the frame that were written since it was entered,
 * a bit each, from its lowest address up; the registers that have a value, as `CPU_INITIALISED` has them.
 */
export type Facts = Int32Array;

const WRITTEN = AX + 1;
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

  /** `lowering` tells how each op is compiled. */
  constructor(flow: Flow, lowering: (op: Op) => Lowering) {
    const n = flow.blocks.length;
    this.#all = new Int32Array(n * N_FACTS);
    const isKnown = new Uint8Array(n);
    // At the entry: R10 points to the frame's end; nothing else is certain.
    this.#all.fill(UNKNOWN, 0, WRITTEN);
    this.#all[R10] = 0;
    this.#all[INITIALISED] = 1 << R10;
    isKnown[0] = 1;
    const facts = newFacts();
    for (let again = true; again; ) {
      again = false;
      flow.blocks.forEach((block, index) => {
        this.read(index, facts);
        for (const op of block.ops) passFacts(facts, op, lowering(op));
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
      const both = i < WRITTEN ? UNKNOWN : before & its;
      if (both === before) continue;
      all[first + i] = both;
      changed = true;
    }
    return changed;
  }
}

/** Makes of the facts in front of `op` those behind it. */
export function passFacts(facts: Facts, op: Op, lowering: Lowering): void {
  const flow = flowOf(op);
  if (flow === 'trap') return;
  const fp = movedPointer(facts, op);
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
  for (let reg = 0; reg <= AX; reg++) if (changed & (1 << reg)) facts[reg] = UNKNOWN;
  if (lowering !== 'step') {
    facts[INITIALISED] = initialisedOf(facts) | op.writes;
    if (fp !== UNKNOWN) facts[dstOf(op)] = fp;
  }
}

/** What dst is from the frame pointer after `mov` or `add`. */
function movedPointer(facts: Facts, op: Op): number {
  if (op.id === 'mov64_reg') return facts[srcOf(op)] ?? UNKNOWN;
  if (op.id !== 'add64_imm') return UNKNOWN;
  const before = facts[dstOf(op)] ?? UNKNOWN;
  const after = before + op.imm;
  return before === UNKNOWN || Math.abs(after) > FAR ? UNKNOWN : after;
}

/** Offset in the frame, from its lowest address, of the access of `op` through `reg`; undefined when it is not certainly inside. */
export function frameOffset(facts: Facts, reg: number, op: Op, size: number): number | undefined {
  const fp = facts[reg] ?? UNKNOWN;
  if (fp === UNKNOWN) return undefined;
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
