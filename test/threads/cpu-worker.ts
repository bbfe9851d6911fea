/** The thread that drives CPU 1 in atomics.test.ts: of each machine that it is told of. */
import { parentPort } from 'node:worker_threads';
import { ENGINES } from '#core/session/engines.ts';
import { twoCpus } from './two-cpus.ts';

/** What the thread is told. */
export interface CpuTask {
  readonly engine: string;
  readonly memory: WebAssembly.Memory;
  /** Memory for what this thread allocates. */
  readonly room: { readonly at: number; readonly size: number };
}

/** What it tells: that it is there, and how its CPU came to a stop. */
export type CpuTold = 'ready' | { readonly kind: string };

parentPort?.on('message', ({ engine, memory, room }: CpuTask) => {
  const { machine } = twoCpus();
  machine.memory.attach(memory, room);
  const found = ENGINES.find(({ name }) => name === engine);
  parentPort?.postMessage('ready' satisfies CpuTold);
  const stop = found?.run(machine, 1, { budget: 100_000_000, breakpoints: false, resume: true });
  parentPort?.postMessage({ kind: stop?.kind ?? 'no engine' } satisfies CpuTold);
});
