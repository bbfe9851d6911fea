/** What a register holds, as far as the generator has to know it. */
export type Reg = typeof NONE | typeof SCALAR | typeof CTX | Pointer;

/** A pointer with `size` bytes behind it, and `back` in front of it, that may be accessed. */
export interface Pointer {
  readonly kind: 'pointer';
  readonly mem: 'packet' | 'map' | 'stack';
  readonly size: number;
  readonly back: number;
  /** Known distance from something that is 8-byte aligned; undefined: not known, so no atomics. */
  readonly off: number | undefined;
  /** Tells objects of a kind apart: stack pointers of different frames, packets before and after a change. */
  readonly id: number;
}

/** Not to be read. */
export const NONE = { kind: 'none' } as const;
export const SCALAR = { kind: 'scalar' } as const;
export const CTX = { kind: 'ctx' } as const;

/** Bytes of the main function's stack that the generator uses. */
export const MAIN_FRAME = 160;
/** Bytes of the other functions' stacks: five frames together stay below 512. */
export const SUB_FRAME = 64;
/** Bytes at the frame's low end for spilled pointers only. */
export const SPILL_BYTES = 16;

/** Registers and stack at one point of a function. */
export interface State {
  readonly regs: Reg[];
  /** By byte from the frame's low end: 1 if it holds part of a number. */
  readonly init: Uint8Array;
  /** Spilled pointers by slot of the spill area. */
  readonly spills: Reg[];
}

/** A state in which nothing has a value. */
export function emptyState(frame: number): State {
  return {
    regs: Array<Reg>(10).fill(NONE),
    init: new Uint8Array(frame),
    spills: Array<Reg>(SPILL_BYTES / 8).fill(NONE),
  };
}

/** A copy that can change by itself. */
export function copyOf({ regs, init, spills }: State): State {
  return { regs: [...regs], init: init.slice(), spills: [...spills] };
}

/** What holds after either of two ways to the same place. */
export function merged(a: State, b: State): State {
  return {
    regs: a.regs.map((reg, i) => mergedReg(reg, b.regs[i] ?? NONE)),
    init: a.init.map((byte, i) => byte & (b.init[i] ?? 0)),
    spills: a.spills.map((reg, i) => mergedReg(reg, b.spills[i] ?? NONE)),
  };
}

function mergedReg(a: Reg, b: Reg): Reg {
  if (a.kind !== 'pointer' || b.kind !== 'pointer') return a.kind === b.kind ? a : NONE;
  if (a.mem !== b.mem || a.id !== b.id || a.off !== b.off) return NONE;
  return { ...a, size: Math.min(a.size, b.size), back: Math.min(a.back, b.back) };
}
