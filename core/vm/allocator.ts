/** Smallest unit given out, in bytes; every address is a multiple of it. */
const GRAIN = 16;

interface Span {
  start: number;
  end: number;
}

/**
 * Gives out spans of a linear memory and takes them back: first fit by address, neighbours joined. It
 * only keeps the books; contents are the caller's business.
 */
export class BlockAllocator {
  /** Free spans, ascending, never touching each other. */
  readonly #free: Span[] = [];
  /** Length of each span that is out, by its start. */
  readonly #taken = new Map<number, number>();

  /** Makes `start … end` available (byte addresses; `start` is rounded up to the grain). */
  addSpace(start: number, end: number): void {
    this.#give(roundUp(start, GRAIN), end);
  }

  /** Takes `size` bytes (at least one grain) aligned to `align`, a power of two; undefined: no such span. */
  take(size: number, align = GRAIN): number | undefined {
    const length = Math.max(roundUp(size, GRAIN), GRAIN);
    for (let i = 0; i < this.#free.length; i++) {
      const span = this.#free[i] as Span;
      const start = roundUp(span.start, Math.max(align, GRAIN));
      if (start + length > span.end) continue;
      const before = { start: span.start, end: start };
      const after = { start: start + length, end: span.end };
      this.#free.splice(i, 1, ...[before, after].filter((s) => s.start < s.end));
      this.#taken.set(start, length);
      return start;
    }
    return undefined;
  }

  /** Gives back the span at `start`; throws RangeError when none is out there (a bug of the caller). */
  giveBack(start: number): void {
    const length = this.#taken.get(start);
    if (length === undefined) throw new RangeError(`no block at 0x${start.toString(16)} to free`);
    this.#taken.delete(start);
    this.#give(start, start + length);
  }

  /** Bytes that are out. */
  get takenBytes(): number {
    let sum = 0;
    for (const length of this.#taken.values()) sum += length;
    return sum;
  }

  /** Spans that are out. */
  get takenSpans(): number {
    return this.#taken.size;
  }

  #give(start: number, end: number): void {
    let low = 0;
    let high = this.#free.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#free[middle] as Span).start < start) low = middle + 1;
      else high = middle;
    }
    const left = this.#free[low - 1];
    const right = this.#free[low];
    const joinsLeft = left !== undefined && left.end === start;
    const joinsRight = right !== undefined && right.start === end;
    if (joinsLeft && joinsRight) {
      left.end = right.end;
      this.#free.splice(low, 1);
    } else if (joinsLeft) left.end = end;
    else if (joinsRight) right.start = start;
    else this.#free.splice(low, 0, { start, end });
  }
}

function roundUp(n: number, unit: number): number {
  return Math.ceil(n / unit) * unit;
}
