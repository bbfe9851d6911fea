import { expect, test } from 'vitest';
import { assemble } from '#core/asm/assemble.ts';
import { suggest } from '#core/asm/suggest.ts';
import { lint } from '#core/lint/lint.ts';
import { linkProgram } from '#core/object/link.ts';

const lines = (n: number, line: (i: number) => string): string =>
  Array.from({ length: n }, (_, i) => line(i)).join('\n');

/**
 * Texts whose parts are many. Before they were looked up by name, section and place each took from ten seconds to
 * minutes; the limit is loose, because the machine may be busy.
 */
test.each<[string, string]>([
  ['sections', lines(10_000, (i) => `.section s${i},"ax"\nf${i}: r0 = 0\nexit`)],
  ['statements in a line', `${'r0 = r5;'.repeat(60_000)}exit`],
  [
    'functions',
    `.section xdp\nmain:\n${lines(8000, (i) => `call f${i}`)}\nexit\n.text\n${lines(8000, (i) => `.type f${i},@function\nf${i}: exit`)}`,
  ],
  [
    'jumps into other functions',
    lines(8000, (i) => `.globl f${i}\nf${i}: goto f${(i * 7 + 1) % 8000}\nexit`),
  ],
  ['unknown words', lines(50_000, (i) => `bogus${i} label`)],
  ['entries of a map', `.map m, hash, 4, 4, 100000\n${lines(30_000, (i) => `.map_entry m, ${i}, 1`)}`],
  ['wide elements', `.map m, array, 4, 1000000, 100000\n${lines(400, (i) => `.map_entry m, ${i}, 1`)}`],
  ['alignments', lines(20_000, () => '.byte 1\n.p2align 16')],
])(
  'many %s take seconds at most',
  (_, text) => {
    const assembled = assemble(text, { fileName: 'x.s' });
    lint(assembled);
    expect(assembled.tree.lines).toHaveLength(text.split('\n').length);
    expect(assembled.tree.lines.some(({ statements }) => statements.length > 0)).toBe(true);
    linkProgram(assembled.value);
  },
  // The limit is the claim: what grows with the square of the text takes minutes.
  20_000,
);

test.each<[string, string, string]>([
  [
    '.zero',
    '.data\n.zero 200000000\n.zero 200000000',
    '200000000 bytes are too many; at most 268435456 in all, of which 200000000 are taken',
  ],
  [
    '.zero in code',
    'r0 = 0\nexit\n.zero 8000000',
    '8000000 more bytes are too many; at most 8000000 in a section of code',
  ],
  [
    '.lcomm, alignment',
    '.lcomm a, 1, 1<<62',
    'the alignment must be a power of two up to 65536, not 4611686018427387904',
  ],
  ['.comm, alignment', '.comm a, 1, -1', 'the alignment must be a power of two up to 65536, not -1'],
  [
    'elements of maps',
    `.map m, array, 4, 1000000, 1000\n${lines(300, (i) => `.map_entry m, ${i}, -1`)}`,
    'the elements of the maps have more than 268435456 bytes',
  ],
])('%s: a short text cannot ask for all memory', (_, text, message) => {
  const errors = assemble(text, { fileName: 'x.s' }).diagnostics.filter((d) => d.severity === 'error');
  expect(errors[0]?.message).toBe(message);
});

test('a padded section larger than any program is not looked through', () => {
  const text = '.section foo\n.zero 100000000\nr0 = r5\nexit';
  const assembled = assemble(text, { fileName: 'x.s' });
  expect(lint(assembled)).toEqual([]);
  expect(linkProgram(assembled.value).errors).toEqual([
    'the program has more than 1000000 instruction slots',
  ]);
});

test('functions of the same place and of other sections end where the next one begins', () => {
  const text = `.section a,"ax"
.type one,@function
.type two,@function
one:
two:
  r0 = 0
  exit
.type three,@function
three: exit
.section b,"ax"
.type four,@function
four: exit
  exit`;
  const { value } = assemble(text, { fileName: 'x.s' });
  const sizes = value.symbols.filter((s) => s.type === 'func').map(({ name, size }) => [name, size]);
  expect(Object.fromEntries(sizes)).toEqual({ one: 16, two: 16, three: 8, four: 16 });
});

test.each([
  ['a swap', 'jsgt', ['jsle', 'jstg'], 'jstg'],
  ['three edits of a long word', 'bpf_xap_lokup_ele', ['bpf_map_lookup_elem'], 'bpf_map_lookup_elem'],
  ['nothing near', 'frobnicate', ['exit', 'goto'], undefined],
])('suggestions: %s', (_, word, words, near) => {
  expect(suggest(word, words)).toBe(near);
});
