import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { bpfProgAlloc } from '#core/prog/bpf-prog-alloc.ts';
import { readStats, statsRow } from '#core/prog/stats.ts';
import { Machine } from '#core/vm/machine.ts';
import type { StatsSeen, StatsTask } from './stats-worker.ts';

const WRITERS = 4;
const READERS = 2;
const UPDATES = 2_500_000;
/** Steps that carry from the low into the high word every other time. */
const NSECS = 0x9000_0001;
const INSNS = 0x1_c000_0003;

function sharedOf(machine: Machine): SharedArrayBuffer {
  const buffer: unknown = machine.memory.wasm.buffer;
  if (!(buffer instanceof SharedArrayBuffer)) throw new Error('the memory is not shared');
  return buffer;
}

function start(task: StatsTask): Promise<StatsSeen | undefined> {
  const worker = new Worker(new URL('./stats-worker.ts', import.meta.url), {
    workerData: task,
    execArgv: [],
  });
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

test('ten million updates on four CPUs while two threads read: none lost, none seen by half', async () => {
  const machine = new Machine({ shared: true, nCpus: WRITERS });
  const prog = bpfProgAlloc(machine, 2);
  const end = machine.memory.alloc(8, 4);
  const rows = Array.from({ length: WRITERS }, (_, cpu) => statsRow(prog.stats, cpu));
  const common = {
    memory: sharedOf(machine),
    endWord: end >> 2,
    readsWord: (end >> 2) + 1,
    nsecs: NSECS,
    insns: INSNS,
  };
  const readers = Array.from({ length: READERS }, () => start({ ...common, rows, updates: 0 }));
  await Promise.all(rows.map((row) => start({ ...common, rows: [row], updates: UPDATES })));
  Atomics.store(machine.memory.words, end >> 2, 1);
  const seen = (await Promise.all(readers)) as StatsSeen[];
  const reads = seen.reduce((sum, each) => sum + each.reads, 0);
  console.log(`${WRITERS * UPDATES} updates, ${reads} rows read meanwhile`);
  expect(seen.map(({ torn, backwards }) => ({ torn, backwards }))).toEqual(
    Array(READERS).fill({ torn: 0, backwards: 0 }),
  );
  expect(reads).toBeGreaterThan(1000);
  const n = BigInt(UPDATES);
  const row = { cnt: n, nsecs: n * BigInt(NSECS), misses: 0n, insns: n * BigInt(INSNS) };
  expect(readStats(machine, prog)).toEqual(rows.map((_, cpu) => ({ cpu, ...row })));
}, 60_000);

test('a reader waits while an update is going on', async () => {
  const machine = new Machine({ shared: true });
  const prog = bpfProgAlloc(machine, 2);
  const row = statsRow(prog.stats, 0);
  const end = machine.memory.alloc(8, 4);
  const readsWord = (end >> 2) + 1;
  const { words } = machine.memory;
  // An update that has begun and written half of what it will.
  Atomics.add(words, row >> 2, 1);
  Atomics.store(words, (row + 8) >> 2, 1);
  const reader = start({
    memory: sharedOf(machine),
    rows: [row],
    updates: 0,
    endWord: end >> 2,
    readsWord,
    nsecs: 5,
    insns: 0,
  });
  await new Promise((resolve) => setTimeout(resolve, 300));
  Atomics.store(words, (row + 16) >> 2, 5);
  Atomics.add(words, row >> 2, 1);
  await expect.poll(() => Atomics.load(words, readsWord), { timeout: 20_000 }).toBeGreaterThan(0);
  Atomics.store(words, end >> 2, 1);
  const seen = await reader;
  expect(seen).toMatchObject({ torn: 0, backwards: 0 });
  expect(seen?.reads).toBeGreaterThan(0);
});
