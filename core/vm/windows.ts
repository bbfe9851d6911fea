import { MAX_WINDOWS } from './layout.ts';
import { MemoryLimitError } from './memory.ts';

/**
 * Which of the address space's windows are given out. Their numbers run from 1 to `MAX_WINDOWS` − 1; a number that was
 * given back comes again only when all have been out once, so that an old pointer means nothing for long.
 */
export class Windows {
  /** Given back, oldest first. */
  readonly #free: number[] = [];
  #next = 1;

  /** Windows that can still be given out. */
  get left(): number {
    return MAX_WINDOWS - this.#next + this.#free.length;
  }

  /** A window. Throws MemoryLimitError when none but `spare` of those given back are left. */
  take(spare = 0): number {
    if (this.#next < MAX_WINDOWS) return this.#next++;
    const id = this.#free.length > spare ? this.#free.shift() : undefined;
    if (id === undefined) {
      throw new MemoryLimitError(
        `the machine can have ${MAX_WINDOWS - 1} regions at once; make hash maps smaller`,
      );
    }
    return id;
  }

  /** The first of `count` neighbouring windows. Throws MemoryLimitError, with nothing taken. */
  takeRun(count: number): number {
    if (this.#next + count <= MAX_WINDOWS) {
      this.#next += count;
      return this.#next - count;
    }
    if (count === 1) return this.take();
    const sorted = this.#free.toSorted((a, b) => a - b);
    const first = sorted.find((id, at) => sorted[at + count - 1] === id + count - 1);
    if (first === undefined) {
      throw new MemoryLimitError(`no ${count} neighbouring windows are left; make hash maps smaller`);
    }
    const kept = this.#free.filter((id) => id < first || id >= first + count);
    this.#free.splice(0, this.#free.length, ...kept);
    return first;
  }

  /** Gives a window back. */
  give(id: number): void {
    this.#free.push(id);
  }
}
