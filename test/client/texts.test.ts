import { describe, expect, test } from 'vitest';
import { assemble } from '#core/asm/assemble.ts';
import { classicObject } from '#core/cbpf/object.ts';
import { lint } from '#core/lint/lint.ts';
import { looksLikeBpf } from '../../client/bpf-text.ts';
import { configurationsOf, describeExample } from '../../client/commands/example-files.ts';
import { TEMPLATES } from '../../client/commands/templates.ts';
import { classicExpressionAt } from '../../client/debug/classic-expression-at.ts';
import { expressionAt } from '../../client/debug/expression-at.ts';
import { describeChoice, inputArguments, readChoice, readHex } from '../../client/debug/packet-choice.ts';
import { hasSecondarySideBar } from '../../client/views/secondary-side-bar.ts';
import { formatNs, formatU64, groupDigits, problemOfU64 } from '../../client/webview/common/format.ts';

describe('the expression under the mouse', () => {
  // The caret stands below the column.
  test.each([
    ['register', 'r1 = r2', '     ^', 'r2'],
    ['GNU register', 'mov %r1,%r2', '     ^', 'r1'],
    ['32-bit register', 'if w1 s> 5 goto x', '   ^', 'w1'],
    ['r10', 'r2 = r10', '      ^', 'r10'],
    ['GNU fp', 'ldxw %r1,[%fp-4]', '           ^', 'r10'],
    ['register inside an operand', 'r1 = *(u32 *)(r2 + 4)', '              ^', 'r2'],
    ['memory operand', 'r1 = *(u32 *)(r2 + 4)', '       ^', '*(u32 *)(r2 + 4)'],
    ['memory operand, its offset', 'r1 = *(u32 *)(r2 + 4)', '                   ^', '*(u32 *)(r2 + 4)'],
    ['signed load', 'r1 = *(s8 *)(r2 - 0x10)', '       ^', '*(s8 *)(r2 - 0x10)'],
    ['store', '*(u64 *)(r10 - 8) = r1', '^', '*(u64 *)(r10 - 8)'],
    ['GNU word', 'ldxw %r1,[%r2+4]', '              ^', '*(u32 *)(r2 + 4)'],
    ['GNU double word store', 'stxdw [%r10-8],%r1', '             ^', '*(u64 *)(r10 - 8)'],
    ['code after a comment', '/* r1 */ r2 = 1', '         ^', 'r2'],
    ['comment', 'exit # r1', '       ^', undefined],
    ['comment of the other kind', 'exit // r1', '        ^', undefined],
    ['string', '.section "r1"', '          ^', undefined],
    ['label', 'r1_loop:', '^', undefined],
    ['register that does not exist', 'r1 = r11', '      ^', undefined],
    ['number', 'r1 = 12', '     ^', undefined],
  ])('%s: %s', (_name, line, caret, expected) => {
    const found = expressionAt(line, caret.indexOf('^'));
    expect(found?.expression).toBe(expected);
    if (found) expect(found.start <= caret.indexOf('^') && caret.indexOf('^') < found.end).toBe(true);
  });
});

describe('the expression under the mouse in classic BPF', () => {
  test.each([
    ['X as an operand', 'add x', '    ^', 'X'],
    ['with a percent sign', 'ret %a', '    ^', 'A'],
    ['X in an address', 'ldh [x + 14]', '     ^', 'X'],
    ['a scratch word, on its M', 'st M[3]', '   ^', 'M[3]'],
    ['a scratch word, on its number', 'ldx m[ 0xa ]', '       ^', 'M[0xa]'],
    ['X that a jump compares with', 'l1: jeq x, a, b', '        ^', 'X'],
    ['in a listing', '(007) jgt      x               jt 8\tjf 9', '               ^', 'X'],
    ['a label called a', 'jeq #1, a, b', '        ^', undefined],
    ['where it is defined', 'x: tax', '^', undefined],
    ['where a jump always goes', 'ja x', '   ^', undefined],
    ['a mnemonic', 'tax', '  ^', undefined],
    ['a comment', 'tax ; x', '      ^', undefined],
    ['a comment of the other kind', '/* x */ txa', '   ^', undefined],
    ['a number', 'ld #0xa', '      ^', undefined],
    ['scratch memory without a word', 'M', '^', undefined],
  ])('%s: %s', (_name, line, caret, expected) => {
    const found = classicExpressionAt(line, caret.indexOf('^'));
    expect(found?.expression).toBe(expected);
    if (found) expect(found.start <= caret.indexOf('^') && caret.indexOf('^') < found.end).toBe(true);
  });
});

describe('is a plain .s file BPF?', () => {
  test.each([
    ['clang output', '\t.text\n\t.file\t"a.c"\n\tr1 = *(u32 *)(r1 + 0)\n\texit\n', true],
    ['GNU dialect', 'main:\n\tldxdw %r1,[%r2+8]\n\texit\n', true],
    ['few plain lines', '\tr0 = 1\n\tr1 = 2\n\tr0 += r1\n\texit\n', true],
    ['x86, AT&T', 'main:\n\tpushq %rbp\n\tmovq %rsp, %rbp\n\taddl $1, %eax\n\tret\n', false],
    ['arm', 'main:\n\tmov r0, #1\n\tldr r1, [r2, #4]\n\tbx lr\n', false],
    ['hexagon, which writes r1 = r2 too', '\tr1 = add(r2,#1)\n\tjumpr r31\n', false],
    ['BPF in a comment only', '# r1 = *(u32 *)(r1 + 0)\n\tnop\n', false],
    ['nothing', '', false],
  ])('%s', (_name, text, expected) => {
    expect(looksLikeBpf(text)).toBe(expected);
  });
});

describe('choices of a packet', () => {
  const builtins = [{ name: 'arp', title: 'ARP', summary: 'ARP who-has', hex: 'ff' }];
  test.each([
    [
      'capture',
      { kind: 'capture', path: '/a/b.pcap', packet: [1, 3] },
      'b.pcap, packets 1, 3',
      { capture: '/a/b.pcap', packet: [1, 3] },
    ],
    [
      'whole capture',
      { kind: 'capture', path: 'C:\\a\\b.pcap', packet: 'all' },
      'b.pcap, all packets',
      { capture: 'C:\\a\\b.pcap', packet: 'all' },
    ],
    ['built-in', { kind: 'builtin', name: 'arp' }, 'ARP', { data: 'ff' }],
    ['hex', { kind: 'hex', hex: '4500' }, '4500 (2 bytes)', { data: '4500' }],
  ] as const)('%s', (_name, choice, text, args) => {
    expect(describeChoice(choice, builtins)).toBe(text);
    expect(inputArguments(choice, builtins)).toEqual(args);
    expect(readChoice(JSON.parse(JSON.stringify(choice)))).toEqual(choice);
  });

  test.each([
    [undefined],
    ['x'],
    [{ kind: 'capture', path: 'a', packet: 0 }],
    [{ kind: 'capture', path: 'a', packet: [] }],
    [{ kind: 'other' }],
  ])('%j is no stored choice', (stored) => {
    expect(readChoice(stored)).toBeUndefined();
  });

  test('a built-in packet that is gone gives no arguments', () => {
    expect(inputArguments({ kind: 'builtin', name: 'gone' }, builtins)).toBeUndefined();
  });

  test.each([
    ['45 00:1C', { hex: '45001c' }],
    ['0x4500', { hex: '4500' }],
    ['45 0', { error: expect.stringContaining('3 hex digits') }],
    ['45 0g', { error: expect.stringContaining('“g”') }],
    ['', { error: expect.stringContaining('hex') }],
  ])('hex %j', (text, expected) => {
    expect(readHex(text)).toEqual(expected);
  });
});

describe('examples', () => {
  test('title and first paragraph of a README', () => {
    expect(describeExample('# A firewall\n\nDrops `blocked`\nports.\n\nMore.\n', 'x')).toEqual({
      title: 'A firewall',
      summary: 'Drops blocked ports.',
    });
    expect(describeExample('', 'x')).toEqual({ title: 'x', summary: '' });
  });

  test('a copy gets the configurations of its example only', () => {
    const program = (name: string) => `\${workspaceFolder}/${name}/a.bpf.s`;
    const launch = JSON.stringify({
      version: '0.2.0',
      configurations: [{ program: program('fib') }, { program: program('other') }],
    });
    expect(JSON.parse(configurationsOf(`// a comment\n${launch}`, 'fib') ?? '')).toEqual({
      version: '0.2.0',
      configurations: [{ program: program('fib') }],
    });
    expect(configurationsOf(launch, 'none')).toBeUndefined();
    expect(configurationsOf('not json', 'fib')).toBeUndefined();
  });
});

test.each(TEMPLATES.map((template) => [template.label, template] as const))(
  'the template %s has no error and no warning',
  (_label, template) => {
    const diagnostics =
      template.language === 'bpf-classic'
        ? classicObject(template.text, { fileName: 'new.cbpf', name: 'new' }).diagnostics
        : lint(assemble(template.text, { fileName: 'new.bpf.s' }));
    expect(diagnostics.map(({ message }) => message)).toEqual([]);
  },
);

test.each([
  ['1.105.9', false],
  ['1.106.0', true],
  ['1.139.1', true],
  ['1.107.0-insider', true],
  ['2.0.0', true],
])('VS Code %s', (version, expected) => {
  expect(hasSecondarySideBar(version)).toBe(expected);
});

describe('numbers of the views', () => {
  test.each([
    ['0x00000000000000ff', '0xff', '255', '255'],
    ['0xffffffffffffffff', '0xffffffffffffffff', '18446744073709551615', '-1'],
    ['0x8000000000000000', '0x8000000000000000', '9223372036854775808', '-9223372036854775808'],
  ])('%s', (value, hex, unsigned, signed) => {
    expect([formatU64(value, 'hex'), formatU64(value, 'unsigned'), formatU64(value, 'signed')]).toEqual([
      hex,
      unsigned,
      signed,
    ]);
  });

  test.each([
    ['12', undefined],
    ['-1', undefined],
    ['0xffffffffffffffff', undefined],
    ['-9223372036854775808', undefined],
    ['r2 + 4', undefined],
    ['0x10000000000000000', 'fit'],
    ['-9223372036854775809', 'fit'],
    ['12abc', 'no number'],
    ['  ', 'Type a number'],
  ])('typed %j', (text, expected) => {
    if (expected === undefined) expect(problemOfU64(text)).toBeUndefined();
    else expect(problemOfU64(text)).toContain(expected);
  });

  test.each([
    ['0', '0 ns'],
    ['999', '999 ns'],
    ['1250', '1.25 µs'],
    ['2000000', '2 ms'],
    ['18446744073709551615', '18446744073.7 s'],
  ])('%s ns', (nsecs, expected) => {
    expect(formatNs(nsecs)).toBe(expected);
  });

  test('digits are grouped from five on', () => {
    expect([groupDigits('1234'), groupDigits('12345')]).toEqual(['1234', '12\u2009345']);
  });
});
