import { CPU_COMPILED } from '../../vm/layout.ts';
import type { Locals } from '../../wasm/module.ts';
import { I32, I64, type ValType } from '../../wasm/opcodes.ts';

/** Locals of a compiled function, by index. Parameters: the CPU block, the instructions left, the call depth. */
export const BLOCK = 0;
export const LEFT = 1;
export const DEPTH = 2;
/** The fourth parameter: registers with a value, as `CPU_INITIALISED`. */
export const INIT = 3;
/** Linear address of the frame's first byte, and of its shadow. */
export const FRAME = 4;
export const SHADOW = 5;
/** Linear address of an access that needs it twice. */
export const LINEAR = 6;
export const T0 = 7;
export const T1 = 8;
/** Block to go to next, where control flow is not reducible. */
export const NEXT = 9;
const FIRST_REG = 10;
/** Address of an access, and its distance from where the cached region's window begins. */
export const ADDR = 22;
export const DISTANCE = 23;
/** R6 … R9 of the function while one that changes them is written where it is called. */
const FIRST_SAVED = 24;
const FIRST_CACHE = 28;

/** Local that keeps R`n`, 6 … 9. */
export function saved(n: number): number {
  return FIRST_SAVED + n - 6;
}

/** Local of register `n`, 0 … 11. */
export function reg(n: number): number {
  return FIRST_REG + n;
}

/**
 * What a function remembers of the region that accesses of one size and type through one register went to:
 * the address of its window, how many offsets an access can begin at (0: nothing is remembered), and the
 * linear address of its first byte.
 */
export interface RegionCache {
  readonly window: number;
  readonly count: number;
  readonly base: number;
  /** Linear address of its shadow; 0: it has none. Of stores only. */
  readonly shadow: number;
}

/** The cache with number `index`. */
export function regionCache(index: number): RegionCache {
  const first = FIRST_CACHE + index * 4;
  return { window: first, count: first + 1, base: first + 2, shadow: first + 3 };
}

/** Declaration of all locals but the parameters. */
export function localsWith(nCaches: number): Locals {
  const fixed: [number, ValType][] = [
    [FIRST_REG - FRAME, I32],
    [FIRST_CACHE - FIRST_REG, I64],
  ];
  for (let index = 0; index < nCaches; index++) fixed.push([2, I64], [2, I32]);
  return fixed;
}

/**
 * Parameters of the function that leaves a compiled one, behind the four that they share: where it is left, whether the
 * instruction there is to be interpreted, and the first of the registers.
 */
export const LEAVE_SLOT = 4;
export const LEAVE_INTERPRET = 5;
export const LEAVE_FIRST_REG = 6;

/** What a compiled function gives back when it was left before its end; else the instructions left. */
export const LEFT_EARLY = -1;

/** In the CPU block: instructions left; 1 when the instruction at the pc is to be interpreted; and what the search for a region found, as in `RegionCache`. */
export const CPU_LEFT = CPU_COMPILED;
export const CPU_INTERPRET = CPU_COMPILED + 4;
export const FOUND_WINDOW = CPU_COMPILED + 8;
export const FOUND_COUNT = CPU_COMPILED + 16;
export const FOUND_BASE = CPU_COMPILED + 24;
export const FOUND_SHADOW = CPU_COMPILED + 28;

/** In a frame record, 0 but while code is being left: registers whose value for FRAME_SAVED is the one in the CPU block, a bit each. */
export const FRAME_UNSAVED = 0x34;
