import type { Machine } from '../vm/machine.ts';
import type { TargetEvent } from './target-api.ts';
import type { SourceLocation } from './target-rows.ts';

/**
 * Lines that are handed on between two stops. A loop prints faster than any front end shows: what piles up there
 * would hold up the answers to everything else, and eat memory.
 */
const MAX_LINES = 10_000;

/** Hands on what a program prints, and log points; what is too much between two stops is left out, and that is said. */
export class RunOutput {
  readonly #machine: Machine;
  readonly #emit: (event: TargetEvent) => void;
  /** Lines handed on since the last stop; above the limit once the rest is left out. */
  #nLines = 0;

  constructor(machine: Machine, emit: (event: TargetEvent) => void) {
    this.#machine = machine;
    this.#emit = emit;
  }

  /** The program goes on from a stop: lines are counted anew. */
  begin(): void {
    this.#nLines = 0;
  }

  /** Hands on what the program printed since the last time. */
  flush(): void {
    const lines = this.#machine.output.splice(0);
    const shown = lines.filter(() => this.#takeLine());
    if (shown.length > 0) this.#emit({ kind: 'output', category: 'stdout', text: `${shown.join('\n')}\n` });
  }

  /** Hands on the text of a log point. */
  log(text: string, location: SourceLocation | undefined): void {
    if (!this.#takeLine()) return;
    this.#emit({
      kind: 'output',
      category: 'console',
      text: `${text}\n`,
      ...(location ? { location } : {}),
    });
  }

  /** Whether one more line may be handed on; the first that may not is told of. */
  #takeLine(): boolean {
    this.#nLines++;
    if (this.#nLines === MAX_LINES + 1) {
      const text = `more than ${MAX_LINES} lines of output: what follows is left out until the next stop\n`;
      this.#emit({ kind: 'output', category: 'stderr', text });
    }
    return this.#nLines <= MAX_LINES;
  }
}
