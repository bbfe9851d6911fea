import { expect, test } from 'vitest';
import { arrayMap, EXIT, R0_0, type Slot } from './build.ts';
import { dumped, loadSlots } from './rewrite.ts';

test.each<[string, Slot[], number, string]>([
  ['a local call: distance and function', [[0x85, 0, 1, 0, 1], EXIT, R0_0, EXIT], 0, '8510010001000000'],
  [
    'a call backwards to the second of three',
    [[0x85, 0, 1, 0, 3], EXIT, R0_0, EXIT, [0x85, 0, 1, 0, -3], EXIT],
    4,
    '8510fdff01000000',
  ],
  ['a map', [[0x18, 1, 1, 0, 0], [0], R0_0, EXIT], 0, '18110000 id'],
  ['a map value', [[0x18, 1, 2, 0, 0], [0, 0, 0, 0, 4], R0_0, EXIT], 1, '0000000004000000'],
  [
    'a number that looks like a call',
    [[0x18, 1, 0, 0, 0x85], [0, 0, 0, 0, 0x1085], R0_0, EXIT],
    0,
    '1801000085000000',
  ],
])('%s', (_name, slots, at, hex) => {
  expect(dumped(loadSlots('raw', slots, [arrayMap('m')]))[at]).toBe(hex);
});

test('the distance of a call counts rewritten instructions', () => {
  const loaded = loadSlots('raw', [[0x85, 0, 1, 0, 2], [0x3f, 1, 2], EXIT, R0_0, EXIT]);
  expect(dumped(loaded)[0]).toBe('8510050001000000');
  expect(new DataView(loaded.prog.xlated.buffer).getInt32(4, true)).toBe(5);
});
