/** One thread of u64_stats_sync.test.ts: a CPU that counts, or a reader that looks at all rows. */
import { parentPort, workerData } from 'node:worker_threads';
import { addRun, readRow } from '../../core/prog/stats.ts';

/** What a thread is told. */
export interface StatsTask {
  readonly memory: SharedArrayBuffer;
  /** Rows: the one to write, or all to read. */
  readonly rows: readonly number[];
  /** Updates to make; 0: a reader. */
  readonly updates: number;
  /** Index of the word that is not 0 once the readers shall end. */
  readonly endWord: number;
  /** Index of the word that counts what readers have read. */
  readonly readsWord: number;
  readonly nsecs: number;
  readonly insns: number;
}

/** What a reader has seen. */
export interface StatsSeen {
  readonly reads: number;
  /** Rows whose numbers did not belong together. */
  readonly torn: number;
  /** Rows that had gone back. */
  readonly backwards: number;
}

const task = workerData as StatsTask;
const words = new Int32Array(task.memory);

/** Some work between two updates, as a program is: `run` makes no update, and readers get their turn. */
function run(state: number): number {
  let x = state;
  for (let i = 0; i < 64; i++) x = Math.imul(x ^ (x >>> 15), 0x735a2d97) + i;
  return x;
}

function write(): undefined {
  let state = task.rows[0] ?? 0;
  const row = task.rows[0] ?? 0;
  for (let i = 0; i < task.updates; i++) {
    state = run(state);
    addRun(words, row, task.nsecs, task.insns);
  }
  // Kept, so that the work is not left out as useless.
  if (state === 0.5) throw new Error('a whole number was expected');
}

function read(): StatsSeen {
  const last = new Map<number, bigint>();
  const seen = { reads: 0, torn: 0, backwards: 0 };
  const [nsecs, insns] = [BigInt(task.nsecs), BigInt(task.insns)];
  while (Atomics.load(words, task.endWord) === 0) {
    for (const row of task.rows) {
      const found = readRow(words, row);
      seen.reads++;
      Atomics.add(words, task.readsWord, 1);
      if (found.nsecs !== found.cnt * nsecs || found.insns !== found.cnt * insns) seen.torn++;
      if (found.cnt < (last.get(row) ?? 0n)) seen.backwards++;
      last.set(row, found.cnt);
    }
  }
  return seen;
}

parentPort?.postMessage(task.updates === 0 ? read() : write());
