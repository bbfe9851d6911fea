import type { CallResult, Syscalls } from './syscalls.ts';

/** The file descriptors that a bridge holds: each is closed once, at the latest by `closeAll`. */
export class Fds {
  readonly #sys: Syscalls;
  readonly #open = new Set<number>();

  constructor(sys: Syscalls) {
    this.#sys = sys;
  }

  /** Fds that are open. */
  get size(): number {
    return this.#open.size;
  }

  /** Keeps the fd that a call gave. */
  keep({ value }: CallResult): number {
    this.#open.add(value);
    return value;
  }

  /** Closes an fd; nothing happens when it is not one of this bridge's: it may be somebody else's by now. */
  close(fd: number): void {
    if (this.#open.delete(fd)) this.#sys.close(fd);
  }

  closeAll(): void {
    for (const fd of [...this.#open]) this.close(fd);
  }
}
