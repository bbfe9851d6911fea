/** One call of a function of the program life cycle, as `inspect --trace` shows it. */
export interface LifeCycleCall {
  /** The kernel's name: `bpf_prog_alloc`. */
  readonly name: string;
  /** What it was asked and what came out, in a few words; may be empty. */
  readonly detail: string;
}

/** Calls that are kept; a machine that loads and unloads for ever must not fill its host. */
const MAX_CALLS = 10_000;

/** The calls of a machine's life cycle functions in the order in which they were entered. */
export class LifeCycleTrace {
  readonly #calls: LifeCycleCall[] = [];

  get calls(): readonly LifeCycleCall[] {
    return this.#calls;
  }

  /** Notes a call; the oldest are dropped first when there are too many. */
  note(name: string, detail = ''): void {
    this.#calls.push({ name, detail });
    if (this.#calls.length > MAX_CALLS) this.#calls.splice(0, MAX_CALLS / 2);
  }
}
