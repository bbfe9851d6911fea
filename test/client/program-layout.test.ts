import { describe, expect, test } from 'vitest';
import type { ProgramTextLine } from '#core/protocol/messages.ts';
import { layOutProgram, type WholeProgram } from '../../client/program-text/layout.ts';

const PATH = '/work/firewall.bpf.s';

function program(lines: readonly ProgramTextLine[], more: Partial<WholeProgram> = {}): WholeProgram {
  return {
    textId: '1',
    form: 'xlated',
    program: { id: 1, name: 'firewall', type: 'xdp' },
    files: [PATH],
    total: lines.length,
    lines,
    ...more,
  };
}

const LINES: readonly ProgramTextLine[] = [
  { text: 'firewall' },
  { text: 'r6 = r1', slot: 0, origSlot: 0, source: { file: 0, line: 4, column: 2 } },
  {
    text: 'r2 = *(u64 *)(r1 +0)',
    slot: 1,
    origSlot: 1,
    source: { file: 0, line: 5, column: 2 },
    mark: 'changed',
  },
  { text: 'r2 &= 255', slot: 2, origSlot: 1, source: { file: 0, line: 5, column: 2 }, mark: 'added' },
  { text: 'r0 = 0x1122334455667788 ll', slot: 3, origSlot: 2, source: { file: 0, line: 9, column: 2 } },
  { text: 'exit', slot: 105, origSlot: 104 },
];

describe('the layout of a rewritten program', () => {
  test('slots are in a column, signs tell what is changed and what is added', () => {
    expect(layOutProgram(program(LINES)).text.split('\n')).toEqual([
      '; as executed: ~ changed, + added',
      'firewall:',
      '    0    r6 = r1',
      '    1  ~ r2 = *(u64 *)(r1 +0)',
      '    2  + r2 &= 255',
      '    3    r0 = 0x1122334455667788 ll',
      '  105    exit',
    ]);
  });

  test('lines with a slot are told from headings', () => {
    expect(layOutProgram(program(LINES)).slots).toEqual({ lines: [2, 3, 4, 5, 6], end: 5 });
  });

  test('lines lead to their source and back', () => {
    const { sourceOf, linesFor } = layOutProgram(program(LINES));
    expect(sourceOf(3)).toEqual({ path: PATH, line: 4 });
    expect(sourceOf(4)).toEqual({ path: PATH, line: 4 });
    expect(linesFor({ path: PATH, line: 4 })).toEqual([3, 4]);
    expect(linesFor({ path: PATH, line: 7 })).toEqual([]);
    expect(linesFor({ path: '/work/other.bpf.s', line: 4 })).toEqual([]);
    expect([0, 1, 6, 99].map(sourceOf)).toEqual([undefined, undefined, undefined, undefined]);
  });

  test('a drive letter is the same in either case', () => {
    const { linesFor } = layOutProgram(program(LINES, { files: ['C:\\work\\a.bpf.s'] }));
    expect(linesFor({ path: 'c:\\work\\a.bpf.s', line: 3 })).toEqual([2]);
  });

  test.each([
    [1, undefined],
    [2, 'Instruction 0'],
    [3, 'Instruction 1, in the place of instruction 1 as loaded'],
    [4, 'Instruction 2, added for instruction 1 as loaded'],
    [5, 'Instruction 3, instruction 2 as loaded'],
  ])('line %i in words: %s', (line, words) => {
    expect(layOutProgram(program(LINES)).describe(line)).toBe(words);
  });

  test('a converted program says so, and which classic instruction each line is made of', () => {
    const shown = layOutProgram(program(LINES.slice(1, 2), { form: 'converted' }));
    expect(shown.text).toBe('; converted to eBPF\n  0    r6 = r1');
    expect(shown.describe(1)).toBe('Instruction 0, made of the classic instruction 0');
  });

  test('a program that is as it was written says so', () => {
    expect(layOutProgram(program(LINES.slice(0, 2))).text).toMatch(/^; as executed: nothing rewritten\n/);
  });

  test('what is left out of a very long program is told', () => {
    expect(layOutProgram(program(LINES, { total: 900_000 })).text).toMatch(/; the first 6 of 900000 lines/);
  });

  test('no lines at all are no mistake', () => {
    expect(layOutProgram(program([])).text).toMatch(/^; as executed/);
  });
});
