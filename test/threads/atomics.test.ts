import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ENGINES } from '#core/session/engines.ts';
import { Machine } from '#core/vm/machine.ts';
import type { CpuTask, CpuTold } from './cpu-worker.ts';
import { ROUNDS, twoCpus, WORD } from './two-cpus.ts';

/** Bytes for what the other thread's engine keeps for itself. */
const ROOM = 2 ** 20;

let worker: Worker;
beforeAll(() => {
  worker = new Worker(new URL('./cpu-worker.ts', import.meta.url), { execArgv: [] });
});
afterAll(() => worker.terminate());

/** The next message of the other thread. */
function told(): Promise<CpuTold> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

/** Those whose memory accesses other threads can see; `x86-64` simulates one processor. */
const CONCURRENT = ENGINES.filter(({ name }) => name !== 'x86-64');

test.each(CONCURRENT)(
  '$name: two CPUs on two threads, no operation is lost',
  async (engine) => {
    const { machine, words } = twoCpus();
    const room = { at: machine.memory.alloc(ROOM), size: ROOM };
    const isThere = told();
    worker.postMessage({ engine: engine.name, memory: machine.memory.wasm, room } satisfies CpuTask);
    expect(await isThere).toBe('ready');
    const other = told();
    const limits = { budget: 100_000_000, breakpoints: false, resume: true };
    expect(engine.run(machine, 0, limits)).toEqual({ kind: 'exit' });
    expect(await other).toEqual({ kind: 'exit' });
    const bytes = machine.space.read(words.addr, words.size) ?? new Uint8Array();
    const view = new DataView(bytes.buffer);
    const word = (name: keyof typeof WORD): bigint => view.getBigUint64(WORD[name], true);
    const total = 2n * BigInt(ROUNDS);
    expect(word('errors')).toBe(0n);
    for (const name of ['add64', 'fetchAdd64', 'add32', 'fetchAdd32', 'cmpxchg64', 'cmpxchg32'] as const) {
      expect(word(name), name).toBe(total);
    }
    // Every number below the total was fetched once.
    for (const name of ['sumOfFetched64', 'sumOfFetched32'] as const) {
      expect(word(name), name).toBe((total * (total - 1n)) / 2n);
    }
    expect([word('xor64'), word('xor32')]).toEqual([3n, 3n]);
    expect([word('bits64'), word('bits32')]).toEqual([0n, 0n]);
    // What was put in was taken out, but for the last.
    expect(BigInt.asUintN(64, word('xchg64') + word('exchanged64'))).toBe(0n);
    expect(BigInt.asUintN(64, word('xchg32') + word('exchanged32'))).toBe(0n);
    expect(word('flag')).toBe(BigInt(ROUNDS));
  },
  60_000,
);

test('a machine over memory of its own cannot be driven by two threads', () => {
  const own = new Machine({ shared: false });
  const shared = new Machine({ shared: true });
  const room = { at: shared.memory.alloc(64), size: 64 };
  expect(() => own.memory.attach(shared.memory.wasm, room)).toThrow(RangeError);
  expect(() => shared.memory.attach(own.memory.wasm, room)).toThrow(RangeError);
});

test('a thread that was attached allocates in its room, and nowhere else', () => {
  const machine = new Machine({ shared: true });
  const room = { at: machine.memory.alloc(4096), size: 4096 };
  const { memory } = new Machine({ shared: true });
  memory.attach(machine.memory.wasm, room);
  const at = memory.alloc(1024);
  expect(at).toBeGreaterThanOrEqual(room.at);
  expect(at).toBeLessThan(room.at + room.size);
  memory.view.setUint32(at, 0x1234, true);
  expect(machine.memory.view.getUint32(at, true)).toBe(0x1234);
  expect(() => memory.alloc(8192)).toThrow(/do not fit/);
});
