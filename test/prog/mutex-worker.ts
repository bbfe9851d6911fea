/** One thread of the lock tests: what it does in memory that it shares with others. */
import { parentPort, workerData } from 'node:worker_threads';
import { mutexLock, mutexUnlock } from '../../core/vm/mutex.ts';

/** What a thread is told. Addresses are byte addresses. */
export type MutexTask = {
  readonly memory: SharedArrayBuffer;
  readonly mutex: number;
  /** Number of this thread. */
  readonly thread: number;
} & (
  | {
      /** Adds 1 to two words, not atomically, `rounds` times; the words must be equal each time. */
      readonly kind: 'count';
      readonly words: readonly [number, number];
      readonly rounds: number;
    }
  | {
      /** Takes the lock, tells so, holds it for a time and releases it. */
      readonly kind: 'hold';
      readonly ms: number;
    }
  | {
      /** Reads a counted list until a word is set, and looks whether it is whole. */
      readonly kind: 'list';
      readonly count: number;
      readonly list: number;
      readonly endWord: number;
      /** Counts what was read. */
      readonly readsWord: number;
    }
);

/** What a thread has seen; a holder tells `held` first. */
export type MutexSeen =
  | { readonly kind: 'held' }
  | { readonly kind: 'done'; readonly wrong: number; readonly reads: number };

const task = workerData as MutexTask;
const words = new Int32Array(task.memory);

function tell(seen: MutexSeen): void {
  parentPort?.postMessage(seen);
}

/** Plain accesses on purpose: nothing but the lock keeps the threads apart. */
function count(first: number, second: number, rounds: number): number {
  let wrong = 0;
  for (let i = 0; i < rounds; i++) {
    mutexLock(words, task.mutex, task.thread);
    const a = words[first >> 2] ?? 0;
    const b = words[second >> 2] ?? 0;
    if (a !== b) wrong++;
    words[first >> 2] = a + 1;
    for (let spin = 0; spin < 20; spin++) Atomics.load(words, 0);
    words[second >> 2] = b + 1;
    mutexUnlock(words, task.mutex, task.thread);
  }
  return wrong;
}

/** A list is whole when its ids ascend one by one. */
function readLists(
  countAt: number,
  listAt: number,
  endWord: number,
  readsWord: number,
): { wrong: number; reads: number } {
  const seen = { wrong: 0, reads: 0 };
  while (Atomics.load(words, endWord >> 2) === 0) {
    mutexLock(words, task.mutex, task.thread);
    const n = words[countAt >> 2] ?? 0;
    const list = words[listAt >> 2] ?? 0;
    const first = words[list >> 2] ?? 0;
    for (let i = 0; i < n; i++) if (words[(list >> 2) + i] !== first + i) seen.wrong++;
    mutexUnlock(words, task.mutex, task.thread);
    seen.reads++;
    Atomics.add(words, readsWord >> 2, 1);
  }
  return seen;
}

switch (task.kind) {
  case 'count':
    tell({ kind: 'done', wrong: count(...task.words, task.rounds), reads: task.rounds });
    break;
  case 'hold':
    mutexLock(words, task.mutex, task.thread);
    tell({ kind: 'held' });
    Atomics.wait(words, 0, Atomics.load(words, 0), task.ms);
    mutexUnlock(words, task.mutex, task.thread);
    tell({ kind: 'done', wrong: 0, reads: 0 });
    break;
  case 'list':
    tell({ kind: 'done', ...readLists(task.count, task.list, task.endWord, task.readsWord) });
}
