import { findKoffi } from '#core/platform/node/kernel/koffi.ts';

/** A clock: nanoseconds from some moment. */
export interface Clock {
  readonly kind: 'thread' | 'wall';
  now(): number;
}

const CLOCK_THREAD_CPUTIME_ID = 3;

/**
 * Processor time of this thread, which other work on the machine does not add to; where Node cannot ask for it exactly
 * (koffi is not installed, or this is not Linux) the clock on the wall. `process.threadCpuUsage` goes in steps of
 * some milliseconds on some kernels.
 */
export function benchClock(): Clock {
  const found = process.platform === 'linux' ? findKoffi() : undefined;
  if (!found?.ok) return { kind: 'wall', now: () => performance.now() * 1e6 };
  const { koffi } = found;
  const words = new BigInt64Array(2);
  const address = koffi.address(words.buffer);
  const gettime = koffi.load(null).func('clock_gettime', 'int', ['int', 'uint64_t']);
  return {
    kind: 'thread',
    now() {
      gettime(CLOCK_THREAD_CPUTIME_ID, address);
      return Number(words[0] ?? 0n) * 1e9 + Number(words[1] ?? 0n);
    },
  };
}
