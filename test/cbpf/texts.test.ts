import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EXTENSIONS } from '#core/cbpf/extensions.ts';
import { lexClassic } from '#core/cbpf/lexer.ts';
import { parseClassicText } from '#core/cbpf/parse.ts';
import { printClassic } from '#core/cbpf/print.ts';
import { type ClassicForm, filtersOf } from '#core/cbpf/program.ts';
import { classicFormOf, readClassic } from '#core/cbpf/read.ts';
import { BPF_MAXINSNS, type SockFilter } from '#core/cbpf/sock-filter.ts';
import { CLASSIC_NAMES, CLASSIC_TABLE } from '#core/cbpf/table.ts';
import { anyFilter } from './arbitrary.ts';

interface Recorded {
  readonly filters: readonly { readonly expression: string; readonly d: string; dd: string; ddd: string }[];
}

const RECORDED = JSON.parse(
  readFileSync(join(import.meta.dirname, '../testdata/cbpf/tcpdump.json'), 'utf8'),
) as Recorded;

const read = (text: string): readonly SockFilter[] => {
  const parsed = readClassic(text);
  expect(parsed.diagnostics).toEqual([]);
  return filtersOf(parsed.value);
};

/** libpcap leaves a number behind in instructions that have no operand, which text cannot say. */
const withoutLeftovers = (filters: readonly SockFilter[]) =>
  filters.map((filter) => {
    const mode = CLASSIC_TABLE.find((row) => row.code === filter.code)?.mode ?? 'none';
    return ['none', 'x', 'a', 'len', 'cond_x'].includes(mode) ? { ...filter, k: 0 } : filter;
  });

describe.each(RECORDED.filters)('tcpdump $expression', ({ d, dd, ddd }) => {
  const want = read(ddd);

  test.each([
    ['d', d],
    ['dd', dd],
    ['ddd', ddd],
  ] as const)('-%s is recognised, read and printed again', (form, text) => {
    expect(classicFormOf(text)).toBe(form);
    expect(read(text)).toEqual(form === 'd' ? withoutLeftovers(want) : want);
    expect(`${printClassic(want, form).join('\n')}\n`).toBe(text);
  });

  test('goes through the bpf_asm language', () => {
    expect(read(printClassic(want, 'asm').join('\n'))).toEqual(withoutLeftovers(want));
  });
});

test('the language of bpf_asm, every instruction and operand', () => {
  const cases: readonly (readonly [string, number, number, number, number])[] = [
    ['ld [0]', 0x20, 0, 0, 0],
    ['ldh [12]', 0x28, 0, 0, 12],
    ['ldb [0x17]', 0x30, 0, 0, 23],
    ['ld [x + 4]', 0x40, 0, 0, 4],
    ['ldh [%x+4]', 0x48, 0, 0, 4],
    ['ldb [x+017]', 0x50, 0, 0, 15],
    ['ld [-4096]', 0x20, 0, 0, 0xfffff000],
    ['ldi #5', 0x00, 0, 0, 5],
    ['ldi 5', 0x00, 0, 0, 5],
    ['ld #0b101', 0x00, 0, 0, 5],
    ['ld M[15]', 0x60, 0, 0, 15],
    ['ld #len', 0x80, 0, 0, 0],
    ['ld len', 0x80, 0, 0, 0],
    ['ldx #-1', 0x01, 0, 0, 0xffffffff],
    ['ldxi 7', 0x01, 0, 0, 7],
    ['ldx M[3]', 0x61, 0, 0, 3],
    ['ldx #len', 0x81, 0, 0, 0],
    ['ldxb 4*([14]&0xf)', 0xb1, 0, 0, 14],
    ['ldx 4 * ( [ 14 ] & 15 )', 0xb1, 0, 0, 14],
    ['st M[1]', 0x02, 0, 0, 1],
    ['stx M[2]', 0x03, 0, 0, 2],
    ['add #1', 0x04, 0, 0, 1],
    ['add x', 0x0c, 0, 0, 0],
    ['sub %x', 0x1c, 0, 0, 0],
    ['mul #3', 0x24, 0, 0, 3],
    ['div #3', 0x34, 0, 0, 3],
    ['mod x', 0x9c, 0, 0, 0],
    ['neg', 0x84, 0, 0, 0],
    ['and #0xff', 0x54, 0, 0, 255],
    ['or #1', 0x44, 0, 0, 1],
    ['xor #1', 0xa4, 0, 0, 1],
    ['lsh #4', 0x64, 0, 0, 4],
    ['rsh x', 0x7c, 0, 0, 0],
    ['tax', 0x07, 0, 0, 0],
    ['txa', 0x87, 0, 0, 0],
    ['ret #65535', 0x06, 0, 0, 65535],
    ['ret a', 0x16, 0, 0, 0],
    ['ret %a', 0x16, 0, 0, 0],
    ['ret x', 0x0e, 0, 0, 0],
    ['jmp out', 0x05, 0, 0, 1],
    ['ja out', 0x05, 0, 0, 1],
    ['jeq #1, out, next', 0x15, 1, 0, 1],
    ['jeq x, next, out', 0x1d, 0, 1, 0],
    ['jeq #1, out', 0x15, 1, 0, 1],
    ['jeq #1 jt out jf next', 0x15, 1, 0, 1],
    ['jneq #1, out', 0x15, 0, 1, 1],
    ['jne x, out', 0x1d, 0, 1, 0],
    ['jlt #5, out', 0x35, 0, 1, 5],
    ['jle %x, out', 0x2d, 0, 1, 0],
    ['jgt #5, out, next', 0x25, 1, 0, 5],
    ['jge x, out, next', 0x3d, 1, 0, 0],
    ['jset #0x10, out, next', 0x45, 1, 0, 16],
    ['LDH [12]', 0x28, 0, 0, 12],
  ];
  for (const [text, code, jt, jf, k] of cases) {
    const filters = read(`${text} ; a comment\nnext: /* another\none */ txa\nout: ret a`);
    expect(filters[0], text).toEqual({ code, jt, jf, k });
    expect(filters).toHaveLength(3);
  }
  const codes = new Set(cases.map(([, code]) => code));
  const untested = CLASSIC_TABLE.filter((row) => !codes.has(row.code)).map((row) => row.id);
  // both sources of an operation differ in one bit; each operation has one of them above
  expect(untested.filter((id) => !/_[kx]$/.test(id))).toEqual([]);
});

test.each(EXTENSIONS.flatMap((each) => [each.word, ...(each.also ?? [])].flatMap((word) => word ?? [])))(
  'the extension %s, with # and without',
  (word) => {
    const want = EXTENSIONS.find((each) => each.word === word || each.also?.includes(word));
    for (const text of [`ld #${word}`, `ld ${word}`]) {
      expect(read(`${text}\nret a`)[0]).toEqual({
        code: 0x20,
        jt: 0,
        jf: 0,
        k: 0xfffff000 + (want?.offset ?? -1),
      });
    }
  },
);

test('statements need no lines of their own', () => {
  expect(printClassic(read('ldh [12] jne #0x806, drop ret #-1 drop: ret #0'), 'ddd')).toEqual([
    '4',
    '40 0 0 12',
    '21 0 1 2054',
    '6 0 0 4294967295',
    '6 0 0 0',
  ]);
});

test.each([
  ['unknown name', 'ldq [1]\nret a', 'ldq', /no instruction ldq; did you mean ld/],
  ['unknown extension', 'ld #prot\nret a', 'prot', /did you mean proto\?/],
  ['undefined label', 'jeq #1, dorp\ndrop: ret #0', 'dorp', /no label dorp; did you mean drop/],
  ['duplicate label', 'a1: txa\na1: ret a', 'a1', /a1 is there already/],
  ['label at the end', 'ret a\nend:', 'end', /no instruction follows/],
  ['backward', 'top: txa\nja top\nret a', 'top', /forward only/],
  ['operand missing', 'ldh\nret a', 'ldh', /ldh takes \[number\] or \[x \+ number\]/],
  ['bracket missing', 'ldh [12\nret a', '12', /\] is missing behind 12/],
  ['scratch index', 'st M[16]\nret a', '16', /M\[0\] to M\[15\]/],
  ['number too large', 'ld #4294967296\nret a', '4294967296', /does not fit in 32 bits/],
  ['bad octal', 'ld #089\nret a', '089', /no number/],
  ['hash missing', 'ret 5', '5', /written with #: #5/],
  ['wrong factor', 'ldxb 2*([14]&0xf)\nret a', '2', /always 4/],
  ['wrong mask', 'ldxb 4*([14]&0xff)\nret a', '0xff', /always 0xf/],
  ['label missing', 'jeq #1,\nret a', ',', /a label is missing/],
  ['two labels', 'jneq #1, l1, l2\nl1: txa\nl2: ret a', 'l2', /takes one label/],
  ['open comment', 'ret a /* x', '/* x', /not closed/],
  ['no comment of this language', '// x\nret a', '/', /comments begin with ;/],
  ['nothing', '', '', /there is no instruction/],
  ['listing number', '(000) txa\n(002) ret #0', '002', /this is instruction 1, not 2/],
  ['initialiser', '{ 0x6, 0, 0 },', '{ 0x6, 0, 0 }', /four numbers/],
  ['field too wide', '{ 0x6, 256, 0, 0 },', '256', /jt is a number from 0 to 255/],
  ['between initialisers', '{ 6, 0, 0, 0 }, x { 6, 0, 0, 0 }', 'x', /initialiser is wanted/],
  ['count', '2\n6 0 0 0\n', '2', /1 follow, not 2/],
])('error with its place: %s', (_, text, place, message) => {
  const [first] = readClassic(text).diagnostics;
  expect(first?.message).toMatch(message);
  expect(text.slice(first?.range.start, first?.range.end)).toBe(place);
});

test('a condition reaches 255 instructions', () => {
  const far = (n: number) => parseClassicText(`jeq #1, out\n${'txa\n'.repeat(n)}out: ret a`).diagnostics;
  expect(far(255)).toEqual([]);
  expect(far(256)[0]?.message).toMatch(/256 instructions away, a condition reaches 255/);
});

test('what is wrong in one statement does not hide the next', () => {
  const { value, diagnostics } = readClassic('ldh [\nldb [23]\nfoo #1\nret #7 #8\nret #0\n');
  expect(diagnostics.map((each) => each.code)).toEqual(['syntax', 'unknown-instruction', 'syntax']);
  expect(printClassic(filtersOf(value), 'asm')).toEqual(['\tldb [23]', '\tret #7', '\tret #0']);
});

test('all tokens together are the text, whatever it holds, and reading never throws', () => {
  const word = fc.constantFrom(
    ...CLASSIC_NAMES,
    ...['#', '[', ']', '+', '-', 'x', '%', 'M', 'a', '4', '*', '(', ')', '&', '0xf', ',', 'L1', ':', '\n'],
    ...[' ', ';', '/*', '*/', '#len', 'jt', '{', '}', '08', '99999999999', '\u{1f600}', '(000)'],
  );
  const texts = fc.oneof(
    fc.string(),
    fc.array(word, { maxLength: 40 }).map((words) => words.join(' ')),
  );
  fc.assert(
    fc.property(texts, (text) => {
      expect(
        lexClassic(text)
          .map((token) => token.text)
          .join(''),
      ).toBe(text);
      const { value, diagnostics } = readClassic(text);
      for (const { range } of [...diagnostics, ...value.insns]) {
        expect(range.start).toBeGreaterThanOrEqual(0);
        expect(range.end).toBeLessThanOrEqual(text.length);
        expect(range.start).toBeLessThanOrEqual(range.end);
      }
    }),
    { seed: 20260601, numRuns: 3000 },
  );
});

test('every program can be printed in each form and read again', () => {
  const forms: readonly ClassicForm[] = ['asm', 'd', 'dd', 'ddd'];
  fc.assert(
    fc.property(anyFilter, fc.constantFrom(...forms), (filters, form) => {
      expect(read(`${printClassic(filters, form).join('\n')}\n`)).toEqual(filters);
    }),
    { seed: 7, numRuns: 2000 },
  );
});

// What is quadratic ends hours later: the limit is for that, not for speed.
test('long texts are read to their end', { timeout: 120_000 }, () => {
  expect(readClassic('ldh [12]\n'.repeat(100_000)).value.insns).toHaveLength(100_000);
  expect(readClassic('/*'.repeat(100_000)).diagnostics).not.toEqual([]);
  expect(readClassic(`${BPF_MAXINSNS}\n${'6 0 0 0\n'.repeat(60_000)}`).diagnostics).not.toEqual([]);
});
