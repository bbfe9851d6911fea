import type { DebugProtocol } from '@vscode/debugprotocol';
import type { LoadProgress } from '#core/session/load-progress.ts';
import type { AdapterHost } from './host.ts';

/** Milliseconds that a launch may take before anything is said of it. */
const QUIET_MS = 500;

/** The events of a progress without their `progressId`. */
type ProgressBody =
  | Omit<DebugProtocol.ProgressStartEvent['body'], 'progressId'>
  | Omit<DebugProtocol.ProgressUpdateEvent['body'], 'progressId'>;

/** What a launch is shown as. */
export interface LaunchProgressOptions {
  /** Number of the request `launch` or `restart`. */
  readonly requestId: number;
  /** `Launching big.bpf.s` */
  readonly title: string;
  /** The client shows progress. */
  readonly isShown: boolean;
}

/**
 * A launch that is under way: told to the client (`progressStart`, `progressUpdate`, `progressEnd`) once it takes
 * long, and ended by its `cancel`.
 */
export class LaunchProgress {
  readonly requestId: number;
  readonly progressId: string;
  readonly #send: (event: string, body: object) => void;
  readonly #title: string;
  readonly #stopTimer: () => void;
  #latest: LoadProgress | undefined;
  #isShown = false;
  #isCancelled = false;
  #isOver = false;
  #whenCancelled: () => void = () => {};

  constructor(
    host: AdapterHost,
    send: (event: string, body: object) => void,
    options: LaunchProgressOptions,
  ) {
    this.requestId = options.requestId;
    this.progressId = `launch-${options.requestId}`;
    this.#send = send;
    this.#title = options.title;
    this.#stopTimer =
      (options.isShown ? host.after?.(QUIET_MS, () => this.#show()) : undefined) ?? (() => {});
  }

  get isCancelled(): boolean {
    return this.#isCancelled;
  }

  /** Sets what a cancellation does. */
  onCancel(act: () => void): void {
    this.#whenCancelled = act;
  }

  /** Takes what the target tells. */
  report(progress: LoadProgress): void {
    this.#latest = progress;
    if (this.#isShown && !this.#isOver) this.#tell('progressUpdate', this.#state());
  }

  cancel(): void {
    if (this.#isOver || this.#isCancelled) return;
    this.#isCancelled = true;
    this.#whenCancelled();
  }

  /** The launch has ended, however. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stopTimer();
    if (this.#isShown) this.#tell('progressEnd', {});
  }

  #show(): void {
    if (this.#isOver) return;
    this.#isShown = true;
    const { requestId } = this;
    this.#tell('progressStart', { title: this.#title, requestId, cancellable: true, ...this.#state() });
  }

  #state(): { readonly message?: string; readonly percentage?: number } {
    return this.#latest === undefined
      ? {}
      : { message: this.#latest.stage, percentage: this.#latest.percentage };
  }

  #tell(event: string, body: ProgressBody | object): void {
    this.#send(event, { progressId: this.progressId, ...body });
  }
}
