import { join, NONE, type Value } from './lattice.ts';

const N_REGS = 10;

/** Pointers in stack slots: `[slot, value, slot, value, …]`, ascending; slot k is the 8 bytes from fp − 8·k − 8. */
export type Slots = readonly number[];

/** No pointer is on the stack. */
export const EMPTY_SLOTS: Slots = [];

/** Abstract state before an instruction: R0–R9 and the pointers in this function's frame. */
export interface State {
  readonly regs: Float64Array;
  /** Immutable; replaced, never changed. */
  slots: Slots;
  /** Bit n: every path has given Rn a value. */
  must: number;
  /** Bit n: some path has given Rn a value. */
  may: number;
}

/** A function's entry before any call of it was seen. */
export function newState(): State {
  return { regs: new Float64Array(N_REGS), slots: EMPTY_SLOTS, must: 0, may: 0 };
}

/** Copies `from` over `to`. */
export function copyState(to: State, from: State): void {
  to.regs.set(from.regs);
  to.slots = from.slots;
  to.must = from.must;
  to.may = from.may;
}

/** Joins `from` into `into`; true when `into` has changed. */
export function joinInto(into: State, from: State): boolean {
  let changed = false;
  for (let r = 0; r < N_REGS; r++) {
    const before = into.regs[r] ?? NONE;
    const after = join(before, from.regs[r] ?? NONE);
    if (after !== before) {
      into.regs[r] = after;
      changed = true;
    }
  }
  const must = into.must & from.must;
  const may = into.may | from.may;
  if (must !== into.must || may !== into.may) {
    into.must = must;
    into.may = may;
    changed = true;
  }
  if (into.slots !== from.slots) {
    const slots = joinSlots(into.slots, from.slots);
    if (slots !== into.slots) {
      into.slots = slots;
      changed = true;
    }
  }
  return changed;
}

/** Union of two slot lists; the first itself when the second adds nothing. */
export function joinSlots(a: Slots, b: Slots): Slots {
  if (b.length === 0) return a;
  const out: number[] = [];
  let changed = false;
  let i = 0;
  let k = 0;
  while (i < a.length || k < b.length) {
    const slotA = a[i] ?? Number.POSITIVE_INFINITY;
    const slotB = b[k] ?? Number.POSITIVE_INFINITY;
    if (slotA < slotB) {
      out.push(slotA, a[i + 1] ?? NONE);
      i += 2;
    } else if (slotB < slotA) {
      out.push(slotB, b[k + 1] ?? NONE);
      changed = true;
      k += 2;
    } else {
      const before = a[i + 1] ?? NONE;
      const after = join(before, b[k + 1] ?? NONE);
      if (after !== before) changed = true;
      out.push(slotA, after);
      i += 2;
      k += 2;
    }
  }
  return changed ? out : a;
}

/** Value in slot `slot`; NONE when no pointer is known there. */
export function slotValue(slots: Slots, slot: number): Value {
  for (let i = 0; i < slots.length; i += 2) if (slots[i] === slot) return slots[i + 1] ?? NONE;
  return NONE;
}

/** `slots` with slots `from` … `to` (inclusive) forgotten. */
export function clearSlots(slots: Slots, from: number, to: number): Slots {
  let hit = false;
  for (let i = 0; i < slots.length; i += 2) {
    const slot = slots[i] ?? 0;
    if (slot >= from && slot <= to) hit = true;
  }
  if (!hit) return slots;
  const out: number[] = [];
  for (let i = 0; i < slots.length; i += 2) {
    const slot = slots[i] ?? 0;
    if (slot < from || slot > to) out.push(slot, slots[i + 1] ?? NONE);
  }
  return out;
}

/** `slots` with `value` in slot `slot`. */
export function setSlot(slots: Slots, slot: number, value: Value): Slots {
  if (slotValue(slots, slot) === value) return slots;
  const out: number[] = [];
  let placed = false;
  for (let i = 0; i < slots.length; i += 2) {
    const at = slots[i] ?? 0;
    if (at >= slot && !placed) {
      out.push(slot, value);
      placed = true;
    }
    if (at !== slot) out.push(at, slots[i + 1] ?? NONE);
  }
  if (!placed) out.push(slot, value);
  return out;
}
