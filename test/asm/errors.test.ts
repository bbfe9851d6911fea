import { expect, test } from 'vitest';
import { assemble } from '#core/asm/assemble.ts';

/** name, text, code, what the message says, what is underlined, the fix's text */
const CASES: readonly (readonly [string, string, string, string, string, string?])[] = [
  [
    'mnemonic',
    'addd r1, r2',
    'unknown-mnemonic',
    'unknown instruction `addd`; did you mean `add`?',
    'addd',
    'add',
  ],
  ['keyword', 'gto x\nx: exit', 'unknown-mnemonic', 'did you mean `goto`?', 'gto', 'goto'],
  ['word within', 'if r1 > 5 gotoo x\nx: exit', 'unexpected-word', 'did you mean `goto`?', 'gotoo', 'goto'],
  ['register number', 'r12 = 5', 'unknown-register', 'there is no register r12', 'r12'],
  ['hidden register', 'r11 = 5', 'unknown-register', 'R11 is invalid: ', 'r11'],
  ['hidden register in gnu', 'mov %r11, 5', 'unknown-register', 'R11 is invalid: ', '%r11'],
  ['register letter', 'x1 = 5', 'unknown-register', 'did you mean r1?', 'x1', 'r1'],
  ['register in gnu', 'mov %r12, 5', 'unknown-register', 'there is no register r12', '%r12'],
  [
    'register width',
    'w1 = r2',
    'register-width',
    'a 32-bit register is expected here: w2, not r2',
    'r2',
    'w2',
  ],
  [
    'register width of a store',
    '*(u64 *)(r1 + 4) = w2',
    'register-width',
    'a 64-bit register is expected here: r2',
    'w2',
    'r2',
  ],
  [
    'helper',
    'call bpf_map_lokup_elem',
    'unknown-function',
    'did you mean `bpf_map_lookup_elem`?',
    'bpf_map_lokup_elem',
    'bpf_map_lookup_elem',
  ],
  [
    'helper cut short',
    'call bpf_map_lookup',
    'unknown-function',
    'did you mean `bpf_map_lookup_elem`?',
    'bpf_map_lookup',
    'bpf_map_lookup_elem',
  ],
  [
    'helper without prefix',
    'call ktime_get_ns',
    'unknown-function',
    'did you mean `bpf_ktime_get_ns`?',
    'ktime_get_ns',
    'bpf_ktime_get_ns',
  ],
  ['function', 'call nothing', 'unknown-function', 'declare it with `.extern nothing`', 'nothing'],
  [
    'label',
    'goto pas\npass: exit',
    'unknown-label',
    'unknown label `pas`; did you mean `pass`?',
    'pas',
    'pass',
  ],
  ['label, nothing near', 'goto nowhere', 'unknown-label', 'unknown label `nowhere`', 'nowhere'],
  ['numeric label', '1: exit\ngoto 1f', 'unknown-label', 'no label `1:` in that direction', '1f'],
  ['duplicate label', 'x: exit\nx: exit', 'duplicate-label', '`x` is already defined in line 1', 'x'],
  ['register with a large number', 'r0 = r99', 'unknown-register', 'there is no register r99', 'r99'],
  ['register as label', 'r1: exit', 'register-as-label', 'r1 is a register', 'r1'],
  ['constant', 'r0 = XDP_PAS', 'unknown-symbol', 'did you mean `XDP_PASS`?', 'XDP_PAS', 'XDP_PASS'],
  ['constant too late', '.equ x, y\n.equ y, 1', 'not-absolute', '`y` is not defined before this line', 'y'],
  ['directive', '.sction xdp', 'unknown-directive', 'did you mean `.section`?', '.sction', '.section'],
  [
    'immediate',
    'r1 = 0x1ffffffff',
    'immediate-range',
    'immediate 0x1ffffffff does not fit in 32 bits; use a 64-bit load: r1 = 0x1ffffffff ll',
    '0x1ffffffff',
    'r1 = 0x1ffffffff ll',
  ],
  [
    'immediate in gnu',
    'mov %r1, 0x1ffffffff',
    'immediate-range',
    'use a 64-bit load: lddw %r1, 0x1ffffffff',
    '0x1ffffffff',
    'lddw %r1, 0x1ffffffff',
  ],
  [
    'negative immediate',
    'r1 = -2147483649',
    'immediate-range',
    'immediate -0x80000001 does not fit in 32 bits',
    '-2147483649',
    'r1 = -0x80000001 ll',
  ],
  [
    'immediate of an operation',
    'r1 += 4294967296',
    'immediate-range',
    'load it into a register first',
    '4294967296',
  ],
  [
    '64-bit immediate',
    'r1 = 0x1ffffffffffffffff ll',
    'immediate-range',
    'does not fit in 64 bits',
    '0x1ffffffffffffffff',
  ],
  [
    'offset',
    'r1 = *(u16 *)(r2 + 32768)',
    'offset-range',
    'offset 32768 does not fit in 16 bits: -32768 to 32767',
    '+ 32768',
  ],
  [
    'offset in gnu',
    'ldxw %r1, [%r2-40000]',
    'offset-range',
    'offset -40000 does not fit in 16 bits',
    '-40000',
  ],
  [
    'jump',
    'goto a\n.zero 300000\na: exit',
    'jump-range',
    'the target is 37500 instructions away; only -32768 to 32767 fit in 16 bits; jump with `gotol`',
    'a',
  ],
  [
    'jump to other section',
    'goto d\n.data\nd: .long 1',
    'jump-to-other-section',
    '`d` is in section .data',
    'd',
  ],
  [
    'call of data',
    'call d\n.data\nd: .long 1',
    'call-of-data',
    '`d` is data in section .data, not a function',
    'd',
  ],
  ['call of a map', 'call m\n.map m, hash, 4, 4, 4', 'call-of-data', '`m` is a map, not a function', 'm'],
  ['address as a number', 'r1 = x\nx: exit', 'address-as-number', 'load it with `r1 = x ll`', 'x'],
  [
    'difference of sections',
    'r1 = a - b\na: exit\n.data\nb: .long 1',
    'bad-difference',
    'both must be in one section',
    'a - b',
  ],
  ['division by zero', 'r1 = 1 / 0', 'bad-expression', 'division by zero', '1 / 0'],
  ['open parenthesis', 'r1 = (5', 'incomplete-statement', '`)` is expected after `5`', '5'],
  ['two operations', 'r1 = r2 + 4', 'trailing-text', 'one operation an instruction: `r1 = r2; r1 += …`', '+'],
  ['two statements', 'exit exit', 'trailing-text', 'statements are separated by `;`', 'exit'],
  ['unfinished', 'if r1 > 5', 'incomplete-statement', '`goto` is expected after `5`', '5'],
  ['byte swap', 'r1 = be16 r2', 'register-constraint', 'works in place: write r1 on both sides', 'r2', 'r1'],
  ['negation', 'r1 = -r2', 'register-constraint', 'copy first: r1 = r2', 'r2', 'r1'],
  [
    'atomic fetch',
    'r2 = atomic_fetch_add((u64 *)(r1 + 0), r3)',
    'register-constraint',
    'an atomic fetch leaves the old value in its source register: write r3 here, not r2',
    'r2',
    'r3',
  ],
  [
    'compare and exchange',
    'r0 = cmpxchg_64(r1 + 0, r2, r3)',
    'register-constraint',
    'uses r0 here, not r2',
    'r2',
    'r0',
  ],
  ['octal', 'r1 = 08', 'bad-number', 'a leading 0 means octal', '08'],
  ['number', 'r1 = 0xzz', 'bad-number', '`0xzz` is not a number', '0xzz'],
  ['character', "r1 = 'ab'", 'bad-character-literal', 'one character between quotes', "'ab'"],
  ['stray character', '`', 'bad-character', 'has no meaning here', '`'],
  ['open string', '.asciz "abc', 'open-string', 'no closing `"`', '"abc'],
  ['escape', '.asciz "a\\q"', 'bad-escape', 'unknown escape `\\q`', '\\q'],
  ['open comment', 'exit /* x', 'open-comment', 'end it with `*/`', '/*'],
  ['byte', '.byte 300', 'data-range', '300 does not fit in a byte', '300'],
  ['value in .bss', '.bss\n.long 5', 'data-in-bss', 'use .zero', '.long 5'],
  ['alignment', '.align 3', 'bad-alignment', 'a power of two', '3'],
  ['misaligned code', '.byte 1\nexit', 'misaligned-instruction', 'put `.p2align 3` before it', 'exit'],
  ['map type', '.map a, hsh, 4, 8, 16', 'unknown-map-type', 'did you mean `hash`?', 'hsh'],
  ['map arguments', '.map a, hash, 4', 'bad-argument', '.map a, hash, 4, 8, 1024', '.map a, hash, 4'],
  [
    'map twice',
    '.map a, hash, 4, 8, 1\n.map a, hash, 4, 8, 1',
    'duplicate-symbol',
    '`a` is already defined',
    'a',
  ],
  ['program type', '.program xdq', 'unknown-program-type', 'did you mean `xdp`?', 'xdq'],
  ['section flag', '.section x,"q"', 'bad-argument', 'unknown section flag `q`', '"q"'],
];

test.each(CASES.map((c) => [c[0], c] as const))('%s', (_name, [, text, code, message, underlined, fix]) => {
  const { diagnostics } = assemble(text, { fileName: 'x.bpf.s' });
  const found = diagnostics.filter((d) => d.code === code);
  expect(diagnostics.map((d) => `${d.code}: ${d.message}`).join('\n')).toContain(message);
  expect(found).toHaveLength(1);
  expect(found[0]!.severity).toBe('error');
  expect(text.slice(found[0]!.range.start, found[0]!.range.end)).toBe(underlined);
  expect(found[0]!.fix?.newText).toBe(fix);
});

test('fixes, applied, leave no error of that kind', () => {
  for (const [name, text, code, , , fix] of CASES) {
    if (fix === undefined) continue;
    const d = assemble(text, { fileName: 'x' }).diagnostics.find((x) => x.code === code)!;
    const range = d.fix!.range ?? d.range;
    const fixed = text.slice(0, range.start) + d.fix!.newText + text.slice(range.end);
    const left = assemble(fixed, { fileName: 'x' }).diagnostics.filter((x) => x.code === code);
    expect([name, fixed, left]).toEqual([name, fixed, []]);
  }
});

test('a sign-extended immediate is a warning', () => {
  const { diagnostics, value } = assemble('r1 = 0xffffffff', { fileName: 'x' });
  expect(diagnostics.map((d) => [d.severity, d.message])).toEqual([
    ['warning', 'a 64-bit operation sign-extends its immediate: 0xffffffff counts as 0xffffffffffffffff'],
  ]);
  expect(Buffer.from(value.sections[0]!.bytes).toString('hex')).toBe('b7010000ffffffff');
  expect(assemble('w1 = 0xffffffff', { fileName: 'x' }).diagnostics).toEqual([]);
});

test('a dialect that was asked for is the only one', () => {
  expect(
    assemble('mov %r1, 5', { fileName: 'x', dialect: 'pseudoc' }).diagnostics.map((d) => d.message),
  ).toEqual(['this is the gnu dialect; pseudoc was asked for']);
  expect(assemble('r1 = 5', { fileName: 'x', dialect: 'gnu' }).diagnostics.map((d) => d.message)).toEqual([
    'this is the pseudoc dialect; gnu was asked for',
  ]);
});

test('what an older processor version lacks is told when one is asked for', () => {
  expect(
    assemble('r1 s/= 2\nif w1 > 2 goto +0\nexit', { fileName: 'x', mcpu: 'v2' }).diagnostics.map(
      (d) => d.message,
    ),
  ).toEqual([
    'this instruction needs -mcpu=v4; v2 was asked for',
    'this instruction needs -mcpu=v3; v2 was asked for',
  ]);
});

test('everything behind an error is assembled all the same', () => {
  const { value, diagnostics } = assemble('r1 = 5\ngarbage here\nr2 = 6\nexit', { fileName: 'x' });
  expect(diagnostics).toHaveLength(1);
  expect(Buffer.from(value.sections[0]!.bytes).toString('hex')).toBe(
    'b701000005000000b7020000060000009500000000000000',
  );
});
