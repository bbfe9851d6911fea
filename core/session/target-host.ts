import type { HashHost } from '../vm/settings.ts';
import type { FromTarget, ToTarget } from './target-api.ts';

/** The two ends of a connection to a running target. Messages arrive in the order they were sent. */
export interface TargetPort {
  post(message: ToTarget): void;
  /** Called for each message; set before the first `post`. */
  onMessage(listener: (message: FromTarget) => void): void;
  /** Called once when the target is gone; `error` when it was not asked to go. */
  onClose(listener: (error: Error | undefined) => void): void;
  /** Ends the target, also one that does not answer. Resolves when it is gone. */
  terminate(): Promise<void>;
}

/** Starts targets: in a worker over shared memory, or in time slices in this thread. */
export interface TargetHost {
  startTarget(): Promise<TargetPort>;
}

/** What a target needs of the thread it lives in. */
export interface TargetRuntime {
  /** The platform's hash functions; without them programs have no tag. */
  readonly hash?: HashHost;
  /** The machine's memory is shared, so that the client can stop it between two instructions. */
  readonly sharedMemory: boolean;
  /** Resolves after everything that waits in the event loop (messages to us among it) was served. */
  yieldToEventLoop(): Promise<void>;
  /** Milliseconds from any origin, to size the time slices; the simulated kernel never sees it. */
  now(): number;
}
