import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lastUpTo } from '#core/bytes/ascending.ts';
import { fromBase64, toBase64 } from '#core/bytes/base64.ts';
import { fnv1a } from '#core/bytes/fnv.ts';
import { bytesOfHex, hexText } from '#core/bytes/hex.ts';
import { littleEndian, u32Bytes, u32Of } from '#core/bytes/little-endian.ts';

const bytes = fc.uint8Array({ maxLength: 70 });

describe('base64', () => {
  test('is what Node writes and reads', () => {
    fc.assert(
      fc.property(bytes, (data) => {
        const text = Buffer.from(data).toString('base64');
        expect(toBase64(data)).toBe(text);
        expect(fromBase64(text)).toEqual(Uint8Array.from(data));
      }),
    );
  });

  test.each([
    ['a missing digit', 'QUI'],
    ['no padding', 'QUJDRA'],
    ['padding alone', '===='],
    ['padding in the middle', 'QQ==QUJD'],
    ['three signs of padding', 'Q==='],
    ['a digit of base64url', 'QU-D'],
    ['a blank', 'QU D'],
    ['a letter above ASCII', 'QUéD'],
  ])('%s is none', (_name, text) => {
    expect(fromBase64(text)).toBeUndefined();
  });

  test('a capture of 12 MiB is read', () => {
    const data = new Uint8Array(12 << 20).fill(0x5a);
    expect(fromBase64(Buffer.from(data).toString('base64'))?.every((byte) => byte === 0x5a)).toBe(true);
  });
});

describe('hex', () => {
  test('two digits a byte, a separator between', () => {
    expect(hexText(Uint8Array.of(0, 10, 255))).toBe('000aff');
    expect(hexText(Uint8Array.of(0, 10, 255), ':')).toBe('00:0a:ff');
    expect(hexText([])).toBe('');
  });

  test('is read back with any separator and in either case', () => {
    fc.assert(
      fc.property(bytes, fc.constantFrom('', ' ', ':', '_', '\n'), (data, separator) => {
        const text = hexText(data, separator);
        expect(bytesOfHex(text)).toEqual(Uint8Array.from(data));
        expect(bytesOfHex(`0x${text.toUpperCase()}`)).toEqual(Uint8Array.from(data));
      }),
    );
  });

  test.each([['0'], ['0g'], ['00,11'], ['0x0x00'], ['00-11']])('%j is none', (text) => {
    expect(bytesOfHex(text)).toBeUndefined();
  });
});

test('little-endian numbers', () => {
  expect(littleEndian(Uint8Array.of(0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x81))).toBe(
    0x8122334455667788n,
  );
  expect(littleEndian(new Uint8Array())).toBe(0n);
  expect(u32Bytes(0x80000001)).toEqual(Uint8Array.of(1, 0, 0, 0x80));
  // A view into a longer buffer must not be read from the buffer's start.
  expect(u32Of(Uint8Array.of(9, 9, 1, 0, 0, 0x80).subarray(2))).toBe(0x80000001);
  expect(() => u32Of(Uint8Array.of(1, 2, 3))).toThrow(RangeError);
});

test('lastUpTo finds what a look at each number finds', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 30 })),
      fc.integer({ min: -2, max: 32 }),
      (some, wanted) => {
        const numbers = some.sort((a, b) => a - b);
        const found = lastUpTo(numbers.length, wanted, (at) => numbers[at] ?? 0);
        expect(found).toBe(numbers.findLastIndex((number) => number <= wanted));
      },
    ),
  );
});

// From the tables of the function's authors (http://www.isthe.com/chongo/tech/comp/fnv).
test.each([
  ['', 0x811c9dc5],
  ['a', 0xe40c292c],
  ['foobar', 0xbf9cf968],
])('fnv1a of "%s"', (text, hash) => {
  expect(fnv1a(new TextEncoder().encode(text))).toBe(hash);
});
