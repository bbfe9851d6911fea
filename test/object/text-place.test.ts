import fc from 'fast-check';
import { expect, test } from 'vitest';
import { diagnosticTexts, placesIn } from '#core/object/text-place.ts';

test('lines and columns count from 1, in UTF-16 units', () => {
  const placeOf = placesIn('ab\n\r\n😀x');
  expect(placeOf(0)).toEqual({ line: 1, column: 1 });
  expect(placeOf(2)).toEqual({ line: 1, column: 3 });
  expect(placeOf(3)).toEqual({ line: 2, column: 1 });
  expect(placeOf(7)).toEqual({ line: 3, column: 3 });
  expect(placeOf(99)).toEqual({ line: 3, column: 4 });
  expect(placesIn('')(0)).toEqual({ line: 1, column: 1 });
});

test('a place is what counting line ends gives', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('a', '\n', ' ')), fc.nat(40), (chars, offset) => {
      const text = chars.join('');
      const before = text.slice(0, offset);
      expect(placesIn(text)(offset)).toEqual({
        line: before.split('\n').length,
        column: before.length - before.lastIndexOf('\n'),
      });
    }),
  );
});

test('a diagnostic as text', () => {
  const textOf = diagnosticTexts('a.s', 'r0 = 0\n  r1 = x\n');
  expect(textOf({ range: { start: 14, end: 15 }, severity: 'error', code: 'c', message: 'what is x?' })).toBe(
    'a.s:2:8: what is x?',
  );
});
