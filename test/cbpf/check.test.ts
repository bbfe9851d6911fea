import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bpfCheckClassic, seccompCheckFilter } from '#core/cbpf/check.ts';
import { classicObject } from '#core/cbpf/object.ts';
import { filtersOf } from '#core/cbpf/program.ts';
import { readClassic } from '#core/cbpf/read.ts';
import { type SockFilter, sockFilter } from '#core/cbpf/sock-filter.ts';
import { CLASSIC_TABLE } from '#core/cbpf/table.ts';
import { anyFilter } from './arbitrary.ts';

const RET = sockFilter(0x06);
const of = (text: string): readonly SockFilter[] => {
  const { value, diagnostics } = readClassic(text);
  expect(diagnostics).toEqual([]);
  return filtersOf(value);
};

describe('bpf_check_classic', () => {
  test.each([
    ['the shortest program', [RET]],
    ['4096 instructions', Array.from({ length: 4096 }, () => RET)],
    ['a shift by 31', [sockFilter(0x64, 31), RET]],
    ['the farthest jump inside', [sockFilter(0x05, 1), RET, RET]],
    ['the last extension', [sockFilter(0x20, 0xfffff03c), RET]],
    ['an extension by ldb', [sockFilter(0x30, 0xfffff000), RET]],
    ['offsets from the headers', [sockFilter(0x20, 0xfff00000), sockFilter(0x28, 0xffe0000c), RET]],
    [
      'a scratch word written on both paths',
      of('jeq #1, l1, l2\nl1: st M[0]\nja l3\nl2: stx M[0]\nl3: ld M[0]\nret a'),
    ],
  ])('accepts %s', (_, filters) => {
    expect(bpfCheckClassic(filters)).toBeUndefined();
  });

  test.each<[string, readonly SockFilter[], number | undefined, RegExp]>([
    ['no instruction', [], undefined, /at least one/],
    ['4097 instructions', Array.from({ length: 4097 }, () => RET), undefined, /at most 4096/],
    ['an unknown code', [sockFilter(0xff), RET], 0, /0xff is no instruction/],
    ['a code of 16 bits', [sockFilter(0x106), RET], 0, /0x106/],
    ['ret x', [sockFilter(0x0e)], 0, /does not know ret x/],
    ['div by 0', [sockFilter(0x34, 0), RET], 0, /constant 0/],
    ['mod by 0', [sockFilter(0x94, 0), RET], 0, /constant 0/],
    ['lsh by 32', [sockFilter(0x64, 32), RET], 0, /0 to 31/],
    ['rsh by 32', [sockFilter(0x74, 32), RET], 0, /0 to 31/],
    ['M[16]', [sockFilter(0x02, 16), RET], 0, /M\[0\] to M\[15\]/],
    ['ja to the end', [sockFilter(0x05, 1), RET], 0, /jump to instruction 2/],
    ['ja that wraps', [sockFilter(0x05, 0xffffffff), RET], 0, /jump to/],
    ['jt out of range', [sockFilter(0x15, 0, 1, 0), RET], 0, /jump to instruction 2; the program has 2/],
    ['jf out of range', [sockFilter(0x1d, 0, 0, 255), RET], 0, /jump to instruction 256/],
    ['an extension that is none', [sockFilter(0x20, 0xfffff001), RET], 0, /no extension SKF_AD_OFF \+ 1/],
    ['no ret at the end', [RET, sockFilter(0x07)], 1, /last instruction/],
    ['M[0] never written', of('ld M[0]\nret a'), 0, /M\[0\] is read before/],
    ['M[1] written on one path', of('jeq #1, l1, l2\nl1: st M[1]\nl2: ldx M[1]\nret a'), 2, /M\[1\]/],
    // as in the kernel: the bits of a ret flow on although nothing does
    ['M[0] behind a ret', of('jeq #1, l1, l2\nl1: ret a\nl2: ld M[0]\nret a'), 2, /M\[0\]/],
  ])('refuses %s', (_, filters, pc, message) => {
    const refusal = bpfCheckClassic(filters);
    expect(refusal?.pc).toBe(pc);
    expect(refusal?.message).toMatch(message);
  });

  test('every code that is no row of the table is refused, every row but ret x has a place in a program', () => {
    const codes = new Set<number>(CLASSIC_TABLE.map((row) => row.code));
    for (let code = 0; code < 0x10000; code++) {
      const refusal = bpfCheckClassic([sockFilter(0x02), sockFilter(code, 0), RET]);
      if (!codes.has(code)) expect(refusal?.code).toBe('unknown-code');
      else if (code !== 0x0e) expect(refusal?.code, `0x${code.toString(16)}`).not.toBe('unknown-code');
    }
  });

  test('generated programs pass', () => {
    fc.assert(
      fc.property(anyFilter, (filters) => {
        expect(bpfCheckClassic(filters)).toBeUndefined();
      }),
      { seed: 1, numRuns: 2000 },
    );
  });
});

describe('seccomp_check_filter', () => {
  test('accepts a filter on the system call', () => {
    expect(
      seccompCheckFilter(
        of('ld [4]\njne #0xc000003e, bad\nld [0]\njeq #59, bad\nret #0x7fff0000\nbad: ret #0'),
      ),
    ).toBe(undefined);
  });

  test.each([
    ['beyond the structure', 'ld [64]\nret a', /0, 4, … 60/],
    ['unaligned', 'ld [2]\nret a', /aligned/],
    ['half words', 'ldh [0]\nret a', /cannot use ldh/],
    ['extensions', 'ld #cpu\nret a', /aligned|64 bytes/],
    ['mod', 'mod #3\nret a', /cannot use mod/],
    ['header length', 'ldxb 4*([0]&0xf)\nret a', /cannot use ldxb/],
    ['what no filter may do', 'div #0\nret a', /constant 0/],
  ])('refuses %s', (_, text, message) => {
    expect(seccompCheckFilter(of(text))?.message).toMatch(message);
  });
});

test('a refusal stands at its instruction in the text', () => {
  const text = '; comment\nldh [12]\n  lsh #40 ; too far\nret a\n';
  const { diagnostics, object } = classicObject(text, { fileName: 'a.cbpf', name: 'a' });
  expect(object).toBeUndefined();
  const [first] = diagnostics;
  expect(text.slice(first?.range.start, first?.range.end)).toBe('lsh #40');
});
