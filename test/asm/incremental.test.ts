import fc from 'fast-check';
import { expect, test } from 'vitest';
import { assemble } from '#core/asm/assemble.ts';
import { parseText, updateText } from '#core/asm/parse.ts';
import { shapeOf } from './tree-shape.ts';

const SEED = 20240917;

/** Pieces that together make many texts that are nearly right. */
const PIECES = [
  'r1 = 5',
  'r1 = r2',
  'w3 += w4',
  'exit',
  'goto L',
  'if r1 > 3 goto L',
  'L:',
  '1:',
  'goto 1b',
  'goto 1f',
  'call foo',
  'call bpf_map_lookup_elem',
  'r1 = m ll',
  '.map m, hash, 4, 8, 16',
  '*(u32 *)(r10 - 4) = r1',
  'lock *(u64 *)(r1 + 0) += r2',
  'mov %r1, 7',
  'ldxw %r1, [%r2+4]',
  '.section xdp',
  '.byte 1, 2',
  '.quad L - foo',
  '.asciz "a\\n"',
  '.equ X, 5',
  'r1 = X + 3 * (2 - 1)',
  '/*',
  '*/',
  '/* x */',
  '// c',
  '# c',
  ';',
  '\n',
  '\n',
  '\n',
  ' ',
  '"',
  "'",
  '(',
  '%',
  '\\',
  '\u20ac',
  '\u0001',
  '0x',
  '99999999999999999999',
  ':',
  ',',
  '=',
  '.p2align 3',
  '.uleb128 L-foo',
  '.set Y, Y',
  '.size L, .-L',
  '.text',
  '.zero 3',
  '.loc 1 2 3',
  '.file 1 "a"',
];

const text = fc.array(fc.constantFrom(...PIECES), { maxLength: 30 }).map((parts) => parts.join(''));

test(`an edited tree equals a parse of the edited text (seed ${SEED})`, () => {
  const edits = fc.array(
    fc.record({ a: fc.nat(200), b: fc.nat(12), newText: fc.oneof(fc.constantFrom(...PIECES), text) }),
    {
      minLength: 1,
      maxLength: 6,
    },
  );
  fc.assert(
    fc.property(text, edits, (start, list) => {
      let tree = parseText(start);
      for (const { a, b, newText } of list) {
        const from = Math.min(a, tree.text.length);
        const edit = { start: from, end: Math.min(from + b, tree.text.length), newText };
        const expected = tree.text.slice(0, edit.start) + newText + tree.text.slice(edit.end);
        tree = updateText(tree, edit);
        expect(tree.text).toBe(expected);
        expect(shapeOf(tree)).toEqual(shapeOf(parseText(expected)));
      }
    }),
    { seed: SEED, numRuns: 300 },
  );
});

test('only touched lines are parsed again', () => {
  const tree = parseText('r1 = 1\nr2 = 2\nr3 = 3\nexit');
  const next = updateText(tree, { start: 12, end: 13, newText: '22' });
  expect(next.lines[0]!.parsed).toBe(tree.lines[0]!.parsed);
  expect(next.lines[1]!.parsed).not.toBe(tree.lines[1]!.parsed);
  expect(next.lines[2]!.parsed).toBe(tree.lines[2]!.parsed);
  expect(next.lines[3]!.start).toBe(tree.lines[3]!.start + 1);
});

test('opening a block comment changes the lines behind it', () => {
  const tree = parseText('r1 = 1\nr2 = 2 */\nexit');
  const next = updateText(tree, { start: 0, end: 0, newText: '/* ' });
  expect(next.diagnostics).toEqual([]);
  expect(next.lines.map((l) => l.parsed.statements.length)).toEqual([0, 0, 1]);
});

test(`the assembler never throws, and its ranges lie in the text (seed ${SEED})`, () => {
  const anything = fc.oneof(
    text,
    fc.string({ unit: 'binary', maxLength: 80 }),
    fc.array(fc.oneof(text, fc.string({ unit: 'grapheme' }))).map((a) => a.join('\n')),
  );
  fc.assert(
    fc.property(anything, (source) => {
      const out = assemble(source, { fileName: 'x' });
      for (const d of out.diagnostics) {
        expect(d.message).not.toBe('');
        expect(d.range.start).toBeGreaterThanOrEqual(0);
        expect(d.range.end).toBeGreaterThanOrEqual(d.range.start);
        expect(d.range.end).toBeLessThanOrEqual(source.length);
      }
      for (const line of out.tree.lines) {
        let at = line.start;
        for (const token of line.tokens) {
          expect(token.start).toBeGreaterThanOrEqual(at);
          expect(source.slice(token.start, token.end)).toBe(token.text);
          at = token.end;
        }
      }
      void out.references;
      void out.definitions;
    }),
    { seed: SEED, numRuns: 1000 },
  );
});

test.each([
  ['deep parentheses', `r1 = ${'('.repeat(100_000)}`],
  ['many signs', `r1 = ${'-'.repeat(100_000)}1`],
  ['a long sum', `r1 = 1${'+x'.repeat(100_000)}`],
  ['a long line', `${'exit;'.repeat(150_000)}`],
  ['an enormous fill', '.fill 99999999, 8, 1\n.zero 1 << 40'],
  ['a long name', `call ${'a'.repeat(100_000)}`],
])('%s is survived', (_name, source) => {
  expect(() => assemble(source, { fileName: 'x' })).not.toThrow();
});
