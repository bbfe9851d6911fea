import type { LoadProgress } from './load-progress.ts';
import type { ControlWord, LoadReply } from './load-request.ts';
import type { FromTarget, TargetEvent, TargetMethod, TargetRequests } from './target-api.ts';
import type { TargetHost, TargetPort } from './target-host.ts';

/** A request that the target could not carry out, or that was under way when it ended. */
export class TargetError extends Error {}

/** A request that the end of the target has overtaken, which was asked for: by a restart or the end of the session. */
export class TargetGone extends TargetError {
  constructor() {
    super('the session has ended');
  }
}

interface Waiting {
  resolve(reply: unknown): void;
  reject(error: Error): void;
}

/**
 * The client's side of a session: every request of `TargetRequests` as a promise, events as calls.
 *
 *     const session = await TargetClient.start(host);
 *     session.onEvent((event) => …);
 *     const loaded = await session.request('load', { fileName, source });
 *     await session.request('start', { stopOnEntry: true, debug: true });   // → event `stopped`
 *     await session.request('resume', { kind: 'over', granularity: 'line' });
 */
export class TargetClient {
  readonly #port: TargetPort;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #control: ControlWord | undefined;
  #onEvent: (event: TargetEvent) => void = () => {};
  #onProgress: (progress: LoadProgress) => void = () => {};
  #onClose: (error: Error | undefined) => void = () => {};
  #closed = false;

  private constructor(port: TargetPort) {
    this.#port = port;
    port.onMessage((message) => this.#receive(message));
    port.onClose((error) => this.#close(error));
  }

  /** Starts a target on `host`; rejects with the host's reason when it cannot. */
  static async start(host: TargetHost): Promise<TargetClient> {
    return new TargetClient(await host.startTarget());
  }

  /** Sets who is told of stops, output and the end. Only one listener. */
  onEvent(listener: (event: TargetEvent) => void): void {
    this.#onEvent = listener;
  }

  /** Sets who is told how far a request `load` is. Only one listener. */
  onProgress(listener: (progress: LoadProgress) => void): void {
    this.#onProgress = listener;
  }

  /** Sets who is told, once, that the target is gone; `error`: it went without being asked. */
  onClose(listener: (error: Error | undefined) => void): void {
    this.#onClose = listener;
  }

  /** Sends a request. Rejects with `TargetError` when the target refuses it or is gone. */
  async request<M extends TargetMethod>(
    method: M,
    args: TargetRequests[M]['args'],
  ): Promise<TargetRequests[M]['reply']> {
    if (this.#closed) throw new TargetGone();
    const id = this.#nextId++;
    const reply = new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
    });
    this.#port.post({ id, method, args });
    const value = (await reply) as TargetRequests[M]['reply'];
    if (method === 'load') this.#control = (value as LoadReply & { ok: true }).control;
    return value;
  }

  /** Stops a running program: at once where memory is shared, else at the end of the time slice. */
  async pause(): Promise<void> {
    const control = this.#control;
    // First the word, then the request: the target clears the word when it finds nothing to pause.
    if (control !== undefined && !this.#closed) {
      Atomics.store(new Int32Array(control.memory), control.byteOffset / 4, control.pause);
    }
    await this.request('pause', null);
  }

  /** Ends the target, whatever it is doing. */
  async terminate(): Promise<void> {
    this.#close(undefined);
    await this.#port.terminate();
  }

  #receive(message: FromTarget): void {
    if ('progress' in message) {
      if (!this.#closed) this.#onProgress(message.progress);
      return;
    }
    if ('event' in message) {
      if (!this.#closed) this.#onEvent(message.event);
      return;
    }
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if ('error' in message) waiting?.reject(new TargetError(message.error));
    else waiting?.resolve(message.reply);
  }

  #close(error: Error | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const waiting of this.#waiting.values()) {
      waiting.reject(error === undefined ? new TargetGone() : new TargetError(error.message));
    }
    this.#waiting.clear();
    this.#onClose(error);
  }
}
