import { Worker } from 'node:worker_threads';
import type { FromTarget, ToTarget } from '../../session/target-api.ts';
import type { TargetHost, TargetPort } from '../../session/target-host.ts';

/**
 * Most memory of one target's JavaScript heap, in MiB: a hostile program must not take the machine down. A worker that
 * needs more ends, so what is loaded for show has limits of its own (docs/debugging.md, *Memory*).
 */
const MAX_HEAP_MB = 1024;

/**
 * Targets in worker threads over shared memory.
 * @param workerPath `dist/worker.cjs`, or `worker-entry.ts` itself when run from source by Node 24.
 * @param maxHeapMb most memory of a target's heap, in MiB.
 */
export function workerTargetHost(workerPath: string | URL, maxHeapMb = MAX_HEAP_MB): TargetHost {
  return { startTarget: () => startWorker(workerPath, maxHeapMb) };
}

/** Starts a worker; rejects when it cannot be loaded. */
function startWorker(workerPath: string | URL, maxHeapMb: number): Promise<TargetPort> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(workerPath, {
      // The adapter's own options (inspector, loaders) are none of the worker's business.
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: maxHeapMb },
    });
    let started = false;
    let terminating = false;
    let failure: Error | undefined;
    let receive: (message: FromTarget) => void = () => {};
    let closed: (error: Error | undefined) => void = () => {};
    worker.on('message', (message: FromTarget | 'ready') => {
      if (message !== 'ready') {
        receive(message);
        return;
      }
      started = true;
      resolve(port);
    });
    worker.on('error', (error) => {
      failure = error instanceof Error ? error : new Error(String(error));
    });
    worker.on('exit', (code) => {
      const error =
        failure ?? (terminating || code === 0 ? undefined : new Error(`the worker ended with code ${code}`));
      if (!started) reject(error ?? new Error('the worker ended before it was ready'));
      else closed(terminating ? undefined : error);
    });
    const port: TargetPort = {
      post(message: ToTarget) {
        worker.postMessage(message);
      },
      onMessage(listener) {
        receive = listener;
      },
      onClose(listener) {
        closed = listener;
      },
      async terminate() {
        terminating = true;
        await worker.terminate();
      },
    };
  });
}
