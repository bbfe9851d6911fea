import { Worker } from 'node:worker_threads';
import type { Machine } from '#core/vm/machine.ts';
import type { MutexSeen, MutexTask } from './mutex-worker.ts';

/** The memory of a machine whose memory is shared. */
export function sharedOf(machine: Machine): SharedArrayBuffer {
  const buffer: unknown = machine.memory.wasm.buffer;
  if (!(buffer instanceof SharedArrayBuffer)) throw new Error('the memory is not shared');
  return buffer;
}

/** A thread at work: when it holds the lock (`hold` only), and what it has seen in the end. */
export interface Thread {
  readonly held: Promise<void>;
  readonly done: Promise<{ readonly wrong: number; readonly reads: number }>;
}

/** Starts a thread of `mutex-worker.ts`. */
export function startThread(task: MutexTask): Thread {
  const worker = new Worker(new URL('./mutex-worker.ts', import.meta.url), {
    workerData: task,
    execArgv: [],
  });
  const told = (kind: MutexSeen['kind']): Promise<MutexSeen> =>
    new Promise((resolve, reject) => {
      worker.on('message', (seen: MutexSeen) => {
        if (seen.kind === kind) resolve(seen);
      });
      worker.once('error', reject);
    });
  const done = told('done').then((seen) => {
    if (seen.kind !== 'done') throw new Error('the thread has not ended');
    return seen;
  });
  return { held: task.kind === 'hold' ? told('held').then(() => undefined) : Promise.resolve(), done };
}

/** A lock that a thread holds for `ms`; resolves when it has it. */
export async function holdMutex(machine: Machine, mutex: number, ms: number): Promise<Thread> {
  const thread = startThread({ kind: 'hold', memory: sharedOf(machine), mutex, thread: 77, ms });
  await thread.held;
  return thread;
}
