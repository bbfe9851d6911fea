/**
 * What the data-flow pass knows of a register or stack slot, as one exactly representable number:
 * `kind + 16 · payload`. The order of the lattice, upwards:
 *
 *     NONE  <  CONST n  <  SCALAR  <  pointers of one kind  <  PTR  <  PACKET  <  CONFLICT
 *
 * A number joined with a pointer stays that pointer: on the path with the number a dereference is a
 * fault whatever we do. Only a map becomes PTR: calls are changed for the map that they certainly have.
 * A pointer that may lead into the packet is PACKET. A context pointer joined with another pointer is CONFLICT: one instruction cannot
 * be rewritten for one and not for the other.
 */
export type Value = number;

/** No path has given it a value. */
export const NONE: Value = 0;
/** Some number. */
export const SCALAR: Value = 1;
/** Payload: the number, −2^31 … 2^31−1, plus 2^31. */
export const KIND_CONST = 2;
/** A pointer that is neither context, stack nor a map (or several of these, but no context). */
export const PTR: Value = 3;
/** Context plus constant; payload: signed 32-bit byte offset plus 2^31. */
export const KIND_CTX = 4;
/** Context plus an unknown distance. */
export const CTX_VAR: Value = 5;
/** Stack of function `owner` at a constant offset from its frame pointer; payload: owner · 2^17 + off + 2^16. */
export const KIND_FP = 6;
/**
 * Stack of function `owner`, offset unknown but (where nothing negative is added) not below `base`;
 * payload: owner · 2^7 − base / 8. `base` is a multiple of 8, −520 … 0, so that it can sink only 65 times.
 */
export const KIND_FP_VAR = 7;
/** A map itself; payload: its index. */
export const KIND_MAP = 8;
/** A context pointer on one path, another pointer on another. */
export const CONFLICT: Value = 9;
/** Into the packet at whatever distance, maybe. */
export const PACKET: Value = 10;

const BIAS = 2 ** 31;
const FP_BIAS = 2 ** 16;
const FP_SPAN = 2 ** 17;
const FP_VAR_SPAN = 2 ** 7;
/** One more than a frame has: the pointer may be anywhere below, and its accesses say nothing. */
const MAX_SLOTS = 65;

/** Kind of `v`: one of the constants above. */
export function kindOf(v: Value): number {
  return v % 16;
}

/** A known number; only 32-bit signed ones are tracked. */
export function constant(n: number): Value {
  return KIND_CONST + 16 * (n + BIAS);
}

/** The number of a CONST. */
export function constantOf(v: Value): number {
  return (v - KIND_CONST) / 16 - BIAS;
}

/** Context plus `off`; CTX_VAR when the offset leaves 32 bits. */
export function ctxAt(off: number): Value {
  return off >= -BIAS && off < BIAS ? KIND_CTX + 16 * (off + BIAS) : CTX_VAR;
}

/** Offset of a CTX. */
export function ctxOffset(v: Value): number {
  return (v - KIND_CTX) / 16 - BIAS;
}

/** Stack of function `owner` at `off`; unknown offset when it is far outside a frame. */
export function fpAt(owner: number, off: number): Value {
  return off > -FP_BIAS && off < FP_BIAS
    ? KIND_FP + 16 * (owner * FP_SPAN + off + FP_BIAS)
    : fpVar(owner, off);
}

/** Stack of function `owner`, from `base` bytes relative to its frame pointer on. */
export function fpVar(owner: number, base: number): Value {
  const slots = Math.min(FP_VAR_SPAN - 1, Math.max(0, Math.ceil(-base / 8)), MAX_SLOTS);
  return KIND_FP_VAR + 16 * (owner * FP_VAR_SPAN + slots);
}

/** Function whose stack an FP or FP_VAR points into. */
export function fpOwner(v: Value): number {
  return Math.floor(v / 16 / (v % 16 === KIND_FP ? FP_SPAN : FP_VAR_SPAN));
}

/** Lowest offset that an FP or FP_VAR may have, from its owner's frame pointer. */
export function fpBase(v: Value): number {
  return v % 16 === KIND_FP ? fpOffset(v) : -8 * (Math.floor(v / 16) % FP_VAR_SPAN);
}

/** Offset of an FP from its owner's frame pointer. */
export function fpOffset(v: Value): number {
  return (Math.floor(v / 16) % FP_SPAN) - FP_BIAS;
}

/** Map number `index` itself. */
export function mapPtr(index: number): Value {
  return KIND_MAP + 16 * index;
}

/** Index of a MAP. */
export function mapOf(v: Value): number {
  return (v - KIND_MAP) / 16;
}

/** Is `v` the context at whatever distance, or maybe the context? */
export function isCtx(v: Value): boolean {
  const kind = v % 16;
  return kind === KIND_CTX || kind === CTX_VAR || kind === CONFLICT;
}

/** Is `v` a pointer of any kind? */
export function isPointer(v: Value): boolean {
  return v % 16 >= PTR;
}

/** Least value that covers both. */
export function join(a: Value, b: Value): Value {
  if (a === b || b === NONE) return a;
  if (a === NONE) return b;
  const ka = a % 16;
  const kb = b % 16;
  if (ka < PTR && kb < PTR) return SCALAR;
  if (ka < PTR) return kb === KIND_MAP ? PTR : b;
  if (kb < PTR) return ka === KIND_MAP ? PTR : a;
  const ctxA = isCtx(a);
  if (ctxA !== isCtx(b)) return CONFLICT;
  if (ctxA) return ka === CONFLICT || kb === CONFLICT ? CONFLICT : CTX_VAR;
  if (ka === PACKET || kb === PACKET) return PACKET;
  const stackA = ka === KIND_FP || ka === KIND_FP_VAR;
  const stackB = kb === KIND_FP || kb === KIND_FP_VAR;
  return stackA && stackB && fpOwner(a) === fpOwner(b)
    ? fpVar(fpOwner(a), Math.min(fpBase(a), fpBase(b)))
    : PTR;
}
