import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseHexBytes } from '#core/input/hex.ts';

const SEQUENCE = Buffer.from(Array.from({ length: 18 }, (_, i) => i * 0x11)).toString('hex');

test.each([
  ['bare digits', '00ff12AB', '00ff12ab'],
  ['pairs', '00 ff 12', '00ff12'],
  ['colons', 'de:ad:be:ef', 'deadbeef'],
  ['C array', '{0x01, 0x02,\n 0x3}', '010203'],
  ['escapes', '\\x01\\x02', '0102'],
  ['comments', '0102 # and so on\n// nothing\n03', '010203'],
  ['nothing', ' \n\t', ''],
  [
    'xxd',
    '00000000: 0011 2233 4455 6677 8899 aabb ccdd eeff  .."3DUfw........\n00000010: 1021                                     .!\n',
    `${SEQUENCE.slice(0, 32)}1021`,
  ],
  [
    'hexdump -C',
    '00000000  00 11 22 33 44 55 66 77  88 99 aa bb cc dd ee ff  |.."3DUfw........|\n00000010  10 21                                             |.!|\n00000012\n',
    `${SEQUENCE.slice(0, 32)}1021`,
  ],
  [
    'tcpdump -x with its head line',
    '12:34:56.789012 IP 10.0.0.1.40000 > 10.0.0.2.80: Flags [S]\n\t0x0000:  4500 003c 1c46 4000 4006 b1e6 ac10 0a63\n\t0x0010:  ac10\n',
    '4500003c1c4640004006b1e6ac100a63ac10',
  ],
  [
    'tcpdump -X',
    '\t0x0000:  4500 003c 1c46 4000 4006 b1e6 ac10 0a63  E..<.F@.@......c\n',
    '4500003c1c4640004006b1e6ac100a63',
  ],
  ['od -A x -t x1', '000000 00 11 22 33 44 55\n000006\n', '001122334455'],
])('%s', (_, text, hex) => {
  const { value, diagnostics } = parseHexBytes(text);
  expect(diagnostics).toEqual([]);
  expect(Buffer.from(value).toString('hex')).toBe(hex);
});

test.each([
  ['a word that is no hex', '01 zz 02', 3, 5, '"zz" is no hex; bytes are two digits 0–9, a–f each', '0102'],
  ['half a byte', '01 2\n03', 3, 4, '"2" has an odd number of hex digits; a byte has two', '0103'],
])('%s is told with its place, the rest is read', (_, text, start, end, message, hex) => {
  const { value, diagnostics } = parseHexBytes(text);
  expect(diagnostics).toMatchObject([{ range: { start, end }, severity: 'error', message }]);
  expect(Buffer.from(value).toString('hex')).toBe(hex);
});

test('whatever is written, nothing is thrown; hex of any bytes gives the bytes', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.uint8Array({ maxLength: 100 }),
      (text, bytes) => {
        parseHexBytes(text);
        const hex = Buffer.from(bytes).toString('hex');
        expect([...parseHexBytes(hex).value]).toEqual([...bytes]);
      },
    ),
    { seed: 8, numRuns: 1000 },
  );
});
