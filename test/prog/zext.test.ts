import { expect, test } from 'vitest';
import { wantingZext } from '#core/prog/zext.ts';
import { bytesOf, EXIT, R0_0, type Slot } from './build.ts';

/** `r0 = cmpxchg_32(r10 - 8, r0, r1)` */
const CMPXCHG: Slot = [0xc3, 10, 1, -8, 0xf1];

/** What follows, and whether Linux 6.18 put `w0 = w0` behind the exchange for it (`bpftool prog dump xlated`). */
test.each<[string, readonly Slot[], boolean]>([
  ['the result', [EXIT], true],
  ['another value', [R0_0, EXIT], false],
  ['a 64-bit copy', [[0xbf, 2, 0], R0_0, EXIT], true],
  ['a 32-bit copy', [[0xbc, 2, 0], R0_0, EXIT], false],
  ['a 64-bit comparison', [[0x15, 0, 0, 0, 1], R0_0, EXIT], true],
  ['a 32-bit comparison', [[0x16, 0, 0, 0, 1], R0_0, EXIT], false],
  ['32-bit arithmetic', [[0x04, 0, 0, 0, 1], EXIT], false],
  ['a store of 8 bytes', [[0x7b, 10, 0, -16], R0_0, EXIT], true],
  ['a store of 4 bytes', [[0x63, 10, 0, -16], R0_0, EXIT], false],
  ['a call', [[0x85, 0, 0, 0, 7], EXIT], false],
  ['one way only', [[0x15, 2, 0, 1, 0], R0_0, EXIT], true],
])('%s after a 32-bit compare-and-exchange', (_name, rest, wanted) => {
  const code = bytesOf([[0xb7, 0], CMPXCHG, ...rest]);
  expect([...wantingZext(code)]).toEqual(wanted ? [1] : []);
});

test('64-bit exchanges and other atomic operations are left alone', () => {
  const code = bytesOf([[0xb7, 0], [0xdb, 10, 1, -8, 0xf1], [0xc3, 10, 1, -8, 0x01], EXIT]);
  expect(wantingZext(code).size).toBe(0);
});
