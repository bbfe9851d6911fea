import { Session } from './session.ts';
import type { FromTarget, ToTarget } from './target-api.ts';
import type { TargetRuntime } from './target-host.ts';

/** Milliseconds that a running program keeps the thread before requests are looked at. */
const SLICE_MS = 10;
const FIRST_BUDGET = 20_000;
const MIN_BUDGET = 500;
const MAX_BUDGET = 50_000_000;

/**
 * Runs a session in its thread: answers requests as they come, and while the program runs gives it
 * slices of some 10 ms, between which requests are answered too.
 */
export class Driver {
  readonly #session: Session;
  readonly #runtime: TargetRuntime;
  readonly #post: (message: FromTarget) => void;
  /** Instructions a slice; follows the speed of engine and machine. */
  #budget = FIRST_BUDGET;
  /** Events of the request that is being carried out: they follow its answer. */
  #held: FromTarget[] | undefined;
  #running = false;
  #ended = false;

  /** @param post sends a message to the client. */
  constructor(runtime: TargetRuntime, post: (message: FromTarget) => void) {
    this.#runtime = runtime;
    this.#post = post;
    this.#session = new Session({
      sharedMemory: runtime.sharedMemory,
      hash: runtime.hash,
      emit: (event) => {
        if (this.#held === undefined) post({ event });
        else this.#held.push({ event });
      },
      // Told at once: it is about the request that is being carried out.
      progress: (progress) => post({ progress }),
    });
  }

  /** Carries out one request and posts its answer; a failure inside is answered, never thrown. */
  handle(message: ToTarget): void {
    const held: FromTarget[] = [];
    this.#held = held;
    let answer: FromTarget;
    try {
      answer = { id: message.id, reply: this.#session.request(message.method, message.args) };
    } catch (error) {
      answer = { id: message.id, error: messageOf(error) };
    }
    this.#held = undefined;
    for (const one of [answer, ...held]) this.#post(one);
    if (this.#session.isRunning && !this.#running) void this.#run();
  }

  /** Stops giving the program time; for a target that shares its thread. */
  end(): void {
    this.#ended = true;
  }

  async #run(): Promise<void> {
    this.#running = true;
    try {
      // Yield first: the answer to the request must leave before what it starts is told.
      await this.#runtime.yieldToEventLoop();
      while (this.#session.isRunning && !this.#ended) {
        this.#slice();
        await this.#runtime.yieldToEventLoop();
      }
    } catch (error) {
      // Not a program's fault but a mistake of ours (or no memory left): say so instead of dying silently.
      this.#ended = true;
      this.#post({ event: { kind: 'failed', message: messageOf(error) } });
    } finally {
      this.#running = false;
    }
  }

  #slice(): void {
    const begin = this.#runtime.now();
    this.#session.runSlice(this.#budget);
    const took = this.#runtime.now() - begin;
    if (took < SLICE_MS / 2) this.#budget = Math.min(MAX_BUDGET, this.#budget * 2);
    else if (took > SLICE_MS * 1.5) this.#budget = Math.max(MIN_BUDGET, Math.floor(this.#budget / 2));
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
