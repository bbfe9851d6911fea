/** Longest single wait, in milliseconds, and how many of them a lock is waited for: 10 seconds in all. */
const WAIT_MS = 100;
const MAX_WAITS = 100;
/** Looks at a lock on a thread that must not sleep. */
const MAX_SPINS = 50_000_000;

const FREE = 0;

/**
 * A mutex is one word of the machine's memory: 0, or the number of the thread that holds it. Threads that
 * share the memory sleep until it is free; where the host forbids its thread to sleep (a browser's page) the
 * word is looked at again and again, for a limited time.
 *
 * `words` as `LinearMemory.words`, `at` a byte address, `owner` a thread's number, 1 … 2^31 − 1.
 * Throws Error for misuse: a lock that its own thread takes twice, one that nobody can ever release because
 * the memory is not shared, one that is not released in time.
 */
export function mutexLock(words: Int32Array, at: number, owner: number): void {
  checkOwner(owner);
  const index = at >> 2;
  for (let waits = 0; ; waits++) {
    const holder = Atomics.compareExchange(words, index, FREE, owner);
    if (holder === FREE) return;
    if (holder === owner)
      throw new Error(`the lock at ${at} is taken twice by thread ${owner}: it would wait for itself`);
    if (!(words.buffer instanceof SharedArrayBuffer)) {
      throw new Error(
        `the lock at ${at} is held by thread ${holder}, and no other thread can come here to release it`,
      );
    }
    if (waits === MAX_WAITS) throw new Error(`the lock at ${at} is not released by thread ${holder}`);
    waitWhile(words, index, holder);
  }
}

/** Releases a lock. Throws Error when `owner` does not hold it; it stays as it is then. */
export function mutexUnlock(words: Int32Array, at: number, owner: number): void {
  checkOwner(owner);
  const index = at >> 2;
  const holder = Atomics.compareExchange(words, index, owner, FREE);
  if (holder !== owner) {
    const whose = holder === FREE ? 'is not held by anybody' : `is held by thread ${holder}`;
    throw new Error(`thread ${owner} releases the lock at ${at}, which ${whose}`);
  }
  // No use where nobody can sleep, and harmless.
  Atomics.notify(words, index, 1);
}

/** Whether somebody holds the lock. */
export function mutexIsLocked(words: Int32Array, at: number): boolean {
  return Atomics.load(words, at >> 2) !== FREE;
}

/** Does `work` while holding the lock, and releases it whatever comes of it. */
export function withMutex<T>(words: () => Int32Array, at: number, owner: number, work: () => T): T {
  mutexLock(words(), at, owner);
  try {
    return work();
  } finally {
    // Taken anew: memory that has grown meanwhile has other views.
    mutexUnlock(words(), at, owner);
  }
}

function checkOwner(owner: number): void {
  if (!Number.isInteger(owner) || owner < 1 || owner > 0x7fffffff) {
    throw new RangeError(`a thread that takes locks has a number from 1 to 2147483647, not ${owner}`);
  }
}

function waitWhile(words: Int32Array, index: number, holder: number): void {
  try {
    Atomics.wait(words, index, holder, WAIT_MS);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    for (let spins = 0; spins < MAX_SPINS / MAX_WAITS; spins++) {
      if (Atomics.load(words, index) !== holder) return;
    }
  }
}
