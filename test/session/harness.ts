import type { LoadArgs, LoadReply } from '#core/session/load-request.ts';
import { loadSession } from '#core/session/load-session.ts';
import type { Loaded } from '#core/session/loaded.ts';
import { Session } from '#core/session/session.ts';
import type { TargetEvent } from '#core/session/target-api.ts';
import type { BreakpointRequest, RunCommand, StopReport } from '#core/session/target-rows.ts';

export const FILE = '/work/program.bpf.s';

/** The programs of a text, loaded for a session that is not started. Throws Error for what cannot be loaded. */
export function loadedOf(
  source: string,
  args: Partial<LoadArgs> = {},
): { readonly loaded: Loaded; readonly messages: readonly string[] } {
  const bytes = new TextEncoder().encode(source);
  const result = loadSession({ fileName: FILE, source: bytes, ...args }, false);
  if (!result.ok) throw new Error(result.problem.message);
  return result;
}

/** A session driven to its next stop by plain calls, in one thread. */
export class Bench {
  readonly session: Session;
  readonly events: TargetEvent[] = [];

  /** Told of each event at once: of `ended` while the programs are still there. */
  onEvent: (event: TargetEvent) => void = () => {};

  constructor() {
    this.session = new Session({
      sharedMemory: false,
      emit: (event) => {
        this.events.push(event);
        this.onEvent(event);
      },
    });
  }

  static load(source: string, args: Partial<LoadArgs> = {}): Bench {
    const bench = new Bench();
    const reply = bench.tryLoad(source, args);
    if (!reply.ok) throw new Error(reply.problem.message);
    return bench;
  }

  tryLoad(source: string, args: Partial<LoadArgs> = {}): LoadReply {
    return this.session.request('load', {
      fileName: FILE,
      source: new TextEncoder().encode(source),
      ...args,
    });
  }

  breakpoints(...breakpoints: BreakpointRequest[]) {
    return this.session.request('setBreakpoints', { file: FILE, breakpoints });
  }

  /** Starts; the report of the first stop, or undefined when the session ended without one. */
  start(options: { stopOnEntry?: boolean; debug?: boolean } = {}): StopReport | undefined {
    return this.#until(() => this.session.request('start', { stopOnEntry: false, debug: true, ...options }));
  }

  resume(command: RunCommand): StopReport | undefined {
    return this.#until(() => this.session.request('resume', command));
  }

  /** Resumes and tells where it stopped: `fib:12`, frames innermost first; `end` when it did not. */
  to(kind: 'continue' | 'in' | 'over' | 'out', granularity: 'line' | 'instruction' = 'line'): string {
    const report = this.resume(kind === 'in' || kind === 'over' ? { kind, granularity } : { kind });
    return report === undefined ? 'end' : this.where();
  }

  where(): string {
    return this.session
      .request('frames', null)
      .map((frame) => `${frame.name}:${frame.location?.line ?? `@${frame.pc}`}`)
      .join(' < ');
  }

  value(expression: string, frame = 0): string {
    const reply = this.session.request('evaluate', { expression, frame, context: 'watch' });
    return reply.ok ? reply.row.value : `! ${reply.message}`;
  }

  /** Text of all output so far, without what was taken before. */
  output(category?: string): string {
    return this.events
      .flatMap((event) =>
        event.kind === 'output' && (category ?? event.category) === event.category ? [event.text] : [],
      )
      .join('');
  }

  get ended(): 0 | 1 | undefined {
    const end = this.events.find((event) => event.kind === 'ended');
    return end?.kind === 'ended' ? end.exitCode : undefined;
  }

  #until(action: () => void): StopReport | undefined {
    const before = this.events.length;
    action();
    for (let slices = 0; this.session.isRunning; slices++) {
      if (slices > 1000) throw new Error('still running after 1000 slices');
      this.session.runSlice(100_000);
    }
    const stop = this.events.slice(before).find((event) => event.kind === 'stopped');
    return stop?.kind === 'stopped' ? stop.report : undefined;
  }
}
