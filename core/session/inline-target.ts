import type { HashHost } from '../vm/settings.ts';
import { Driver } from './driver.ts';
import type { FromTarget, ToTarget } from './target-api.ts';
import type { TargetHost, TargetPort } from './target-host.ts';

/** What an inline target needs of the thread it shares; the host hands it in, core knows no event loop. */
export interface InlineRuntime {
  /** The platform's hash functions; without them programs have no tag. */
  readonly hash?: HashHost;
  /** Resolves after everything that waits in the event loop was served. */
  yieldToEventLoop(): Promise<void>;
  /** Milliseconds from any origin. */
  now(): number;
}

/**
 * Targets in the caller's own thread: the program runs in time slices over memory that is not shared.
 * For hosts without workers or without shared memory, and for tests.
 */
export function inlineTargetHost(runtime: InlineRuntime): TargetHost {
  return { startTarget: async () => inlineTarget(runtime) };
}

function inlineTarget(runtime: InlineRuntime): TargetPort {
  let receive: (message: FromTarget) => void = () => {};
  let closed: (error: Error | undefined) => void = () => {};
  let ended = false;
  const driver = new Driver({ ...runtime, sharedMemory: false }, (message) => {
    if (!ended) receive(message);
  });
  const end = (error: Error | undefined): void => {
    if (ended) return;
    ended = true;
    driver.end();
    closed(error);
  };
  return {
    post(message: ToTarget): void {
      // As over a real port: the answer comes after the caller has gone on.
      void runtime.yieldToEventLoop().then(() => {
        if (!ended) driver.handle(message);
      });
    },
    onMessage(listener) {
      receive = listener;
    },
    onClose(listener) {
      closed = listener;
    },
    async terminate() {
      end(undefined);
    },
  };
}
