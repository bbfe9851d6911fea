import type { Op } from '../../interp/op.ts';
import { rowById } from '../../isa/decode.ts';
import { MAX_BPF_STACK } from '../../vm/layout.ts';
import type { Flow } from './flow.ts';
import { ARGUMENTS, AX, changes, dstOf, flowOf, type Lowering, srcOf } from './ops.ts';

/** Value of `Facts.fp` for a register that is not known to point into the frame. */
export const UNKNOWN = -0x8000_0000;
const R0 = 1;
const R10 = 10;
/** Distances from the frame pointer that are worth following. */
const FAR = 1 << 20;
const WORDS = MAX_BPF_STACK / 32;

/** What is certain at a place of a function, on every way that leads there from its entry. */
export interface Facts {
  /** By register: its distance from the frame pointer, or UNKNOWN. */
  readonly fp: Int32Array;
  /** Bytes of the frame that were written since it was entered, a bit each, from its lowest address up. */
  readonly written: Uint32Array;
  /** Registers that have a value, a bit each, as `CPU_INITIALISED` has them. */
  initialised: number;
}

/** At the entry: R10 points to the frame's end; nothing else is certain. */
function entryFacts(): Facts {
  const fp = new Int32Array(AX + 1).fill(UNKNOWN);
  fp[R10] = 0;
  return { fp, written: new Uint32Array(WORDS), initialised: 1 << R10 };
}

/** A copy to go on with. */
export function copyFacts(facts: Facts): Facts {
  return { fp: facts.fp.slice(), written: facts.written.slice(), initialised: facts.initialised };
}

/** Facts at the start of each block. `lowering` tells how each op is compiled. */
export function frameFacts(flow: Flow, lowering: (op: Op) => Lowering): readonly Facts[] {
  const at: (Facts | undefined)[] = flow.blocks.map(() => undefined);
  at[0] = entryFacts();
  for (let again = true; again; ) {
    again = false;
    flow.blocks.forEach((block, index) => {
      const entry = at[index];
      if (entry === undefined) return;
      const facts = copyFacts(entry);
      for (const op of block.ops) passFacts(facts, op, lowering(op));
      for (const to of block.succ) {
        const known = at[to];
        if (known === undefined) at[to] = copyFacts(facts);
        else if (join(known, facts) && to <= index) again = true;
      }
    });
  }
  return at.map((facts) => facts ?? entryFacts());
}

/** Leaves in `into` what holds in both; whether that changed it. */
function join(into: Facts, other: Facts): boolean {
  let changed = false;
  for (let reg = 0; reg <= AX; reg++) {
    if (into.fp[reg] === other.fp[reg] || into.fp[reg] === UNKNOWN) continue;
    into.fp[reg] = UNKNOWN;
    changed = true;
  }
  for (let word = 0; word < WORDS; word++) {
    const before = into.written[word] ?? 0;
    const both = (before & (other.written[word] ?? 0)) >>> 0;
    if (both === before) continue;
    into.written[word] = both;
    changed = true;
  }
  const both = into.initialised & other.initialised;
  if (both !== into.initialised) {
    into.initialised = both;
    changed = true;
  }
  return changed;
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
    facts.initialised &= ~(R0 | ARGUMENTS);
  } else if (lowering === 'lookup') facts.initialised &= ~ARGUMENTS;
  else if (lowering === 'step') {
    changed |= R0 | (1 << AX);
    facts.initialised &= ~ARGUMENTS;
  }
  for (let reg = 0; reg <= AX; reg++) if (changed & (1 << reg)) facts.fp[reg] = UNKNOWN;
  if (lowering !== 'step') {
    facts.initialised |= op.writes;
    if (fp !== UNKNOWN) facts.fp[dstOf(op)] = fp;
  }
}

/** What dst is from the frame pointer after `mov` or `add`. */
function movedPointer(facts: Facts, op: Op): number {
  if (op.id === 'mov64_reg') return facts.fp[srcOf(op)] ?? UNKNOWN;
  if (op.id !== 'add64_imm') return UNKNOWN;
  const before = facts.fp[dstOf(op)] ?? UNKNOWN;
  const after = before + op.imm;
  return before === UNKNOWN || Math.abs(after) > FAR ? UNKNOWN : after;
}

/** Offset in the frame, from its lowest address, of the access of `op` through `reg`; undefined when it is not certainly inside. */
export function frameOffset(facts: Facts, reg: number, op: Op, size: number): number | undefined {
  const fp = facts.fp[reg] ?? UNKNOWN;
  if (fp === UNKNOWN) return undefined;
  const offset = MAX_BPF_STACK + fp + op.off;
  return offset >= 0 && offset + size <= MAX_BPF_STACK ? offset : undefined;
}

/** Whether all of these bytes of the frame have been written for certain. */
export function isWritten(facts: Facts, offset: number, size: number): boolean {
  for (let byte = offset; byte < offset + size; byte++) {
    if (((facts.written[byte >> 5] ?? 0) & (1 << (byte & 31))) === 0) return false;
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
    facts.written[byte >> 5] = ((facts.written[byte >> 5] ?? 0) | (1 << (byte & 31))) >>> 0;
  }
}
