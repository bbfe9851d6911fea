import { describe, expect, test } from 'vitest';
import { Machine } from '#core/vm/machine.ts';
import { mutexIsLocked, mutexLock, mutexUnlock, withMutex } from '#core/vm/mutex.ts';
import { holdMutex, sharedOf, startThread } from '../prog/mutex-threads.ts';

function lockIn(shared: boolean) {
  const machine = new Machine({ shared });
  return { machine, words: machine.memory.words, at: machine.memory.alloc(4, 4) };
}

describe.each([
  ['shared', true],
  ['unshared', false],
])('%s memory', (_, shared) => {
  test('a lock is taken and released, and says who has it', () => {
    const { words, at } = lockIn(shared);
    expect(mutexIsLocked(words, at)).toBe(false);
    mutexLock(words, at, 5);
    expect(Atomics.load(words, at >> 2)).toBe(5);
    expect(mutexIsLocked(words, at)).toBe(true);
    mutexUnlock(words, at, 5);
    expect(mutexIsLocked(words, at)).toBe(false);
  });

  test('taken twice by one thread: an error instead of waiting for itself, and still held', () => {
    const { words, at } = lockIn(shared);
    mutexLock(words, at, 5);
    expect(() => mutexLock(words, at, 5)).toThrow('is taken twice by thread 5: it would wait for itself');
    mutexUnlock(words, at, 5);
  });

  test('released by somebody who does not hold it: an error, and it stays as it is', () => {
    const { words, at } = lockIn(shared);
    expect(() => mutexUnlock(words, at, 5)).toThrow('which is not held by anybody');
    mutexLock(words, at, 5);
    expect(() => mutexUnlock(words, at, 6)).toThrow('thread 6 releases');
    expect(Atomics.load(words, at >> 2)).toBe(5);
  });

  test.each([0, -1, 2 ** 31, 1.5, Number.NaN])('a thread cannot have the number %d', (owner) => {
    const { words, at } = lockIn(shared);
    expect(() => mutexLock(words, at, owner)).toThrow('a number from 1 to 2147483647');
    expect(mutexIsLocked(words, at)).toBe(false);
  });

  test('it is released when the work under it fails', () => {
    const { machine, words, at } = lockIn(shared);
    const fail = () => {
      expect(mutexIsLocked(words, at)).toBe(true);
      throw new Error('no luck');
    };
    expect(() => withMutex(() => machine.memory.words, at, 3, fail)).toThrow('no luck');
    expect(mutexIsLocked(words, at)).toBe(false);
  });

  test('it is released in memory that has grown meanwhile', () => {
    const { machine, at } = lockIn(shared);
    const { generation } = machine.memory;
    withMutex(
      () => machine.memory.words,
      at,
      3,
      () => machine.memory.alloc(4 << 20),
    );
    expect(machine.memory.generation).toBeGreaterThan(generation);
    expect(mutexIsLocked(machine.memory.words, at)).toBe(false);
  });
});

test('in memory that nobody shares a held lock is an error at once: nobody could release it', () => {
  const { words, at } = lockIn(false);
  mutexLock(words, at, 5);
  expect(() => mutexLock(words, at, 6)).toThrow('is held by thread 5, and no other thread can come here');
});

test('a lock that another thread holds is waited for', async () => {
  const { machine, words, at } = lockIn(true);
  const thread = await holdMutex(machine, at, 250);
  const before = performance.now();
  mutexLock(words, at, 1);
  expect(performance.now() - before).toBeGreaterThan(100);
  mutexUnlock(words, at, 1);
  await thread.done;
});

test('a lock that is never released ends the wait with an error', () => {
  const { words, at } = lockIn(true);
  mutexLock(words, at, 9);
  const { wait } = Atomics;
  let waits = 0;
  Atomics.wait = ((...args: Parameters<typeof wait>) => {
    waits++;
    expect(args.slice(1)).toEqual([at >> 2, 9, 100]);
    return 'timed-out';
  }) as typeof wait;
  try {
    expect(() => mutexLock(words, at, 1)).toThrow('is not released by thread 9');
  } finally {
    Atomics.wait = wait;
  }
  expect(waits).toBe(100);
});

test('where a thread must not sleep the lock is looked at again and again', async () => {
  const { machine, words, at } = lockIn(true);
  const thread = await holdMutex(machine, at, 150);
  const { wait } = Atomics;
  // What a browser's page does.
  Atomics.wait = (() => {
    throw new TypeError('Atomics.wait cannot be called in this context');
  }) as typeof wait;
  try {
    mutexLock(words, at, 1);
  } finally {
    Atomics.wait = wait;
  }
  mutexUnlock(words, at, 1);
  await thread.done;
});

test('four threads that add to two words, one after the other, lose nothing and never see half', async () => {
  const { machine, at } = lockIn(true);
  const [first, second] = [machine.memory.alloc(4, 4), machine.memory.alloc(4, 4)];
  const rounds = 50_000;
  const threads = [1, 2, 3, 4].map((thread) =>
    startThread({
      kind: 'count',
      memory: sharedOf(machine),
      mutex: at,
      thread,
      words: [first, second],
      rounds,
    }),
  );
  const seen = await Promise.all(threads.map(({ done }) => done));
  expect(seen.map(({ wrong }) => wrong)).toEqual([0, 0, 0, 0]);
  const words = machine.memory.words;
  expect([words[first >> 2], words[second >> 2], words[at >> 2]]).toEqual([4 * rounds, 4 * rounds, 0]);
}, 60_000);
