import { expect, test } from 'vitest';
import { BreakpointBytes } from '#core/vm/breakpoint-bytes.ts';

test('each change of a breakpoint byte is counted; what changes nothing is not', () => {
  const breakpoints = new BreakpointBytes(3);
  const seen = [breakpoints.epoch];
  const changes = [
    [1, 1],
    [1, 3],
    [1, 3],
    [0, 0],
    [3, 1],
    [-1, 1],
    [1, 0],
  ] as const;
  for (const [slot, byte] of changes) {
    breakpoints.set(slot, byte);
    seen.push(breakpoints.epoch);
    const bytes = Array.from(breakpoints.bytes);
    expect(bytes).toHaveLength(3);
    expect([...breakpoints.slots]).toEqual([...bytes.keys()].filter((at) => bytes[at]));
  }
  expect(seen).toEqual([0, 1, 2, 2, 2, 2, 2, 3]);
  expect(Array.from(breakpoints.bytes)).toEqual([0, 0, 0]);
});
