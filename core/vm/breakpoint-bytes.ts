import type { InsnIndex } from '../isa/insn.ts';

/** A `Uint8Array` to whoever only reads it. */
export interface ReadonlyBytes {
  readonly [index: number]: number;
  readonly length: number;
}

/**
 * A byte for each slot of a rewritten program: not 0 = stop before it. Engines derive things of their own from the
 * bytes, so `set` alone writes them.
 */
export class BreakpointBytes {
  /** The bytes themselves: looked at before each instruction where breakpoints are obeyed. */
  readonly bytes: ReadonlyBytes;
  readonly #bytes: Uint8Array;
  readonly #slots = new Set<InsnIndex>();
  #epoch = 0;

  /** For a program of `nSlots`, none set. */
  constructor(nSlots: number) {
    this.#bytes = new Uint8Array(nSlots);
    this.bytes = this.#bytes;
  }

  /** Times that a byte changed: what is derived from the bytes is out of date when this moved. */
  get epoch(): number {
    return this.#epoch;
  }

  /** The slots whose byte is not 0: a few, however long the program. */
  get slots(): ReadonlySet<InsnIndex> {
    return this.#slots;
  }

  /**
   * Writes the byte of `slot` (0 … 255). Where the byte is that already, and at slots that the program does not have,
   * nothing is changed.
   */
  set(slot: InsnIndex, byte: number): void {
    const bytes = this.#bytes;
    if (slot < 0 || slot >= bytes.length || bytes[slot] === byte) return;
    bytes[slot] = byte;
    this.#epoch++;
    if (byte === 0) this.#slots.delete(slot);
    else this.#slots.add(slot);
  }
}
