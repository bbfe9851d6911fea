import { expect, test } from 'vitest';
import { Driver } from '#core/session/driver.ts';
import type { FromTarget } from '#core/session/target-api.ts';

/** A driver whose clock is ours, so that slices can be looked at. */
function drive(now: () => number, yieldToEventLoop: () => Promise<void>) {
  const posted: FromTarget[] = [];
  const driver = new Driver({ sharedMemory: false, now, yieldToEventLoop }, (message) =>
    posted.push(message),
  );
  const source = new TextEncoder().encode(
    '.program raw\nmain:\n\tr0 = 0\nagain:\n\tr0 += 1\n\tgoto again\n\texit\n',
  );
  driver.handle({ id: 1, method: 'load', args: { fileName: '/x.bpf.s', source } });
  return { driver, posted };
}

test('slices grow while they are short and shrink when they are long', async () => {
  const executed: bigint[] = [];
  let clock = 0;
  let slices = 0;
  const { driver, posted } = drive(
    () => {
      // Five short slices, then long ones.
      clock += executed.length < 6 ? 1 : 100;
      return clock;
    },
    async () => {
      driver.handle({ id: 100 + slices, method: 'stats', args: null });
      const last = posted.at(-1);
      const reply = last !== undefined && 'reply' in last ? (last.reply as { insns: string }) : undefined;
      executed.push(BigInt(reply?.insns ?? 0));
      if (++slices > 12) driver.end();
    },
  );
  driver.handle({ id: 2, method: 'start', args: { stopOnEntry: false, debug: true } });
  await new Promise((resolve) => setImmediate(resolve));
  const sizes = executed.slice(1).map((count, i) => count - (executed[i] ?? 0n));
  expect(slices).toBe(13);
  expect(sizes[4]).toBeGreaterThan(sizes[0] ?? 0n);
  expect(sizes.at(-1)).toBeLessThan(sizes[6] ?? 0n);
});

test('a failure of the simulation is told, once, and nothing runs on', async () => {
  let calls = 0;
  const { driver, posted } = drive(
    () => {
      calls++;
      throw new Error('out of cheese');
    },
    () => Promise.resolve(),
  );
  driver.handle({ id: 2, method: 'start', args: { stopOnEntry: false, debug: true } });
  await new Promise((resolve) => setImmediate(resolve));
  expect(posted.at(-1)).toEqual({ event: { kind: 'failed', message: 'out of cheese' } });
  expect(calls).toBe(1);
  driver.handle({ id: 3, method: 'frames', args: null });
  expect(posted.at(-1)).toMatchObject({ id: 3, reply: [{ name: 'main' }] });
});
