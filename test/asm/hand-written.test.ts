import { expect, test } from 'vitest';
import { type Assembled, assemble } from '#core/asm/assemble.ts';
import { parseText } from '#core/asm/parse.ts';

function ok(text: string): Assembled {
  const out = assemble(text, { fileName: 'prog.bpf.s' });
  expect(out.diagnostics).toEqual([]);
  return out;
}

function hex(out: Assembled, section = '.text'): string {
  const found = out.value.sections.find((s) => s.name === section)!;
  return Buffer.from(found.bytes)
    .toString('hex')
    .replace(/(.{16})(?!$)/g, '$1 ');
}

test.each([
  [
    'comments',
    'r1 = 1 # a\nr2 = 2 // b\n/* c\n d */ r3 = 3 /* e */; r4 = 4',
    'b701000001000000 b702000002000000 b703000003000000 b704000004000000',
  ],
  ['no white space', 'r1=*(u32*)(r2-4);*(u8*)(r1+0)=r2', '6121fcff00000000 7321000000000000'],
  ['offset left out', 'r1 = *(u32 *)(r2)', '6121000000000000'],
  ['negative offset', 'r1 = *(u32 *)(r2 + -4)', '6121fcff00000000'],
  ['label before its statement', 'a: b: exit', '9500000000000000'],
  ['numeric labels', '1: goto 1f\ngoto 1b\n1: goto 1b', '0500010000000000 0500feff00000000 0500ffff00000000'],
  ['jump by number', 'goto +1\ngoto -2\ngoto 0', '0500010000000000 0500feff00000000 0500000000000000'],
  [
    'expressions',
    'r1 = 1 + 2 * 3\nr1 = (1 + 2) * 3\nr1 = -(5) + ~0\nr1 = 1 << 4 | 3\nr1 = 7 % 4 ^ 1\nr1 = 0x10 >> 2 & 6',
    'b701000007000000 b701000009000000 b7010000faffffff b701000013000000 b701000002000000 b701000004000000',
  ],
  [
    'number forms',
    "r1 = 0x1f\nr1 = 0b101\nr1 = 017\nr1 = 'A'\nr1 = '\\n'",
    'b70100001f000000 b701000005000000 b70100000f000000 b701000041000000 b70100000a000000',
  ],
  ['upper case registers', 'R1 = W2 ll\n'.replace('W2 ll', 'R2'), 'bf21000000000000'],
  [
    'constants',
    '.equ A, 5\n.set B, A * 2\nC = B + 1\nr1 = A\nr2 = B\nr3 = *(u8 *)(r1 + C)',
    'b701000005000000 b70200000a000000 71130b0000000000',
  ],
  ['a constant that changes', '.set A, 1\nr1 = A\n.set A, 2\nr1 = A', 'b701000001000000 b701000002000000'],
  ['a constant used before it is defined', 'r1 = A\n.equ A, 9', 'b701000009000000'],
  ['uapi constants', 'r0 = XDP_PASS\nr1 = BPF_ANY + 2', 'b700000002000000 b701000002000000'],
  ['a symbol wins over a uapi constant', '.equ XDP_PASS, 77\nr0 = XDP_PASS', 'b70000004d000000'],
  ['label arithmetic', 'a: exit\nb: r0 = b - a', '9500000000000000 b700000008000000'],
  ['helper by name', 'call bpf_map_lookup_elem\ncall 5', '8500000001000000 8500000005000000'],
  [
    'a function wins over a helper',
    'call bpf_ktime_get_ns\nbpf_ktime_get_ns: exit',
    '8510000000000000 9500000000000000',
  ],
  [
    'wide loads',
    'r1 = 5 ll\nr1 = -1 ll\nr1 = 0x1122334455667788 ll',
    '1801000005000000 0000000000000000 18010000ffffffff 00000000ffffffff 1801000088776655 0000000044332211',
  ],
  [
    'gnu',
    'mov %r1, 5\nldxw %r1, [%r2+4]\njeq %r1, 7, l\nl: lddw %r3, 9\nexit',
    'b701000005000000 6121040000000000 1501000007000000 1803000009000000 0000000000000000 9500000000000000',
  ],
  ['gnu frame pointer', 'stxdw [%fp-8], %r1', '7b1af8ff00000000'],
  ['both dialects mixed', 'r1 = 5\nadd %r1, 6', 'b701000005000000 0701000006000000'],
  ['data in code', 'exit\n.quad 0x95', '9500000000000000 9500000000000000'],
])('%s', (_name, text, expected) => {
  expect(hex(ok(text))).toBe(expected);
});

test('a declared symbol wins over a helper, and becomes a relocation', () => {
  const out = ok('.extern bpf_ktime_get_ns\ncall bpf_ktime_get_ns\nexit');
  expect(hex(out)).toBe('85100000ffffffff 9500000000000000');
  expect(out.value.sections[0]!.relocs).toHaveLength(1);
  expect(out.value.symbols[out.value.sections[0]!.relocs[0]!.symbol]!.name).toBe('bpf_ktime_get_ns');
});

test.each([
  [
    'data',
    '.data\n.byte 1, -1, 255\n.short 0x1234\n.long -2\n.quad 0x1122334455667788',
    '.data',
    '01ffff3412fefffffff 8877665544332211'.replace(' ', '').replace('fefffffff', 'feffffff'),
  ],
  ['strings', '.data\n.ascii "a\\n\\"\\101\\x42"\n.asciz "é", "z"', '.data', '610a224142c3a9007a00'],
  ['fill', '.data\n.zero 3, 7\n.fill 2, 2, 0x1234\n.skip 1', '.data', '0707073412341200'],
  ['alignment', '.data\n.byte 1\n.p2align 2\n.byte 2\n.align 4, 0xff', '.data', '0100000002ffffff'],
  ['LEB128', '.data\n.uleb128 624485, 0\n.sleb128 -123456', '.data', 'e58e2600c0bb78'],
  ['LEB128 of later labels', '.data\n.uleb128 b-a\na: .zero 200\nb:', '.data', `c801${'00'.repeat(200)}`],
  [
    'sections',
    '.section one,"aw"\n.byte 1\n.pushsection two\n.byte 2\n.popsection\n.byte 3\n.previous\n.byte 4',
    'one',
    '0103',
  ],
  ['license', '.license "GPL"\nexit', 'license', '47504c00'],
])('%s', (_name, text, section, expected) => {
  expect(hex(ok(text), section).replaceAll(' ', '')).toBe(expected);
});

test('maps', () => {
  const out = ok(
    '.equ N, 4 * 256\n.map ports, hash, 4, 8, N\n.map counters, BPF_MAP_TYPE_ARRAY, 4, 8, 16, BPF_F_NO_PREALLOC\nr1 = ports ll\nlddw %r2, counters\nr3 = map_fd(counters) ll\nexit',
  );
  expect(out.value.maps).toEqual([
    { name: 'ports', type: 'hash', keySize: 4, valueSize: 8, maxEntries: 1024, flags: 0 },
    { name: 'counters', type: 'array', keySize: 4, valueSize: 8, maxEntries: 16, flags: 1 },
  ]);
  expect(hex(out, 'maps')).toBe(
    '0100000004000000 0800000000040000 0000000002000000 0400000008000000 1000000001000000',
  );
  const relocs = out.value.sections.find((s) => s.name === '.text')!.relocs;
  expect(relocs.map((r) => [r.offset, r.type, out.value.symbols[r.symbol]!.name])).toEqual([
    [0, 1, 'ports'],
    [16, 1, 'counters'],
  ]);
});

test('programs, their types and places', () => {
  const out = ok(
    '.section xdp\n.globl a\na: exit\n.section tc\n.globl b\nb: call sub\nexit\n.globl c\nc: exit\n.text\nsub: exit\n.section mine\n.program socket_filter\nexit',
  );
  expect(out.value.programs.map((p) => [p.name, p.start, p.length, p.progType])).toEqual([
    ['a', 0, 1, 'xdp'],
    ['b', 0, 2, 'sched_cls'],
    ['c', 2, 1, 'sched_cls'],
    ['mine', 0, 1, 'socket_filter'],
  ]);
});

test('a text without sections is one program', () => {
  const out = ok('r0 = 0\nexit');
  expect(out.value.programs.map((p) => [p.name, p.start, p.length, p.progType])).toEqual([
    ['prog', 0, 2, undefined],
  ]);
});

test('each instruction has a line and a column', () => {
  const out = ok('# x\n  r0 = 0; r1 = 1 ll\n\nl: exit');
  expect(out.value.files).toEqual(['prog.bpf.s']);
  expect(out.value.sections[0]!.lineInfo).toEqual([
    { insnOff: 0, file: 0, line: 2, column: 3 },
    { insnOff: 1, file: 0, line: 2, column: 11 },
    { insnOff: 3, file: 0, line: 4, column: 4 },
  ]);
});

test('.loc is kept beside the lines of the text', () => {
  const out = ok(
    '.file 1 "/dir" "a.c" md5 0x00112233445566778899aabbccddeeff\n.loc 1 7 3 prologue_end\nr0 = 0\nexit',
  );
  expect(out.value.files).toEqual(['prog.bpf.s', '/dir/a.c']);
  expect(out.value.sections[0]!.locInfo).toEqual([{ insnOff: 0, file: 1, line: 7, column: 3 }]);
});

test('places of instructions and text lead to one another', () => {
  const text = 'r0 = 0; r1 = 1 ll\nexit # end';
  const out = ok(text);
  expect(out.insnAt(text.indexOf('r1'))).toEqual({
    section: 0,
    insnOff: 1,
    range: { start: 8, end: 17 },
    row: 'lddw',
  });
  expect(out.insnAt(text.indexOf('# end') + 1)).toBeUndefined();
  expect(out.rangeOfInsn(0, 3)).toEqual({ start: 18, end: 22 });
  expect(out.rangeOfInsn(0, 2)).toBeUndefined();
  expect(out.insnRanges.map((i) => i.row)).toEqual(['mov64_imm', 'lddw', 'exit']);
});

test('definitions and references', () => {
  const text = '.equ K, 5\n.map m, hash, 4, 8, K\n.globl f\nf: r1 = m ll\nif r1 > K goto l\ncall f\nl: exit';
  const out = ok(text);
  const spell = (r: { start: number; end: number }) => text.slice(r.start, r.end);
  expect([...out.definitions.values()].map((d) => [d.name, d.kind, spell(d.range)])).toEqual([
    ['K', 'constant', 'K'],
    ['m', 'map', 'm'],
    ['f', 'function', 'f'],
    ['l', 'label', 'l'],
  ]);
  expect(out.references.map((r) => [r.name, r.kind, r.target?.kind, spell(r.range)])).toEqual([
    ['K', 'directive', 'constant', 'K'],
    ['f', 'directive', 'function', 'f'],
    ['m', 'operand', 'map', 'm'],
    ['K', 'operand', 'constant', 'K'],
    ['l', 'jump', 'label', 'l'],
    ['f', 'call', 'function', 'f'],
  ]);
});

test('tokens have meanings', () => {
  const tree = parseText(
    'l: if r1 == XDP_PASS goto l # why\ncall bpf_ktime_get_ns\n.section xdp,"ax",@progbits\nldxw %r1, [%r2+4]',
  );
  expect(tree.lines.flatMap((line) => line.tokens.map((t) => `${t.text}=${t.kind}`))).toEqual([
    'l=label',
    ':=operator',
    'if=mnemonic',
    'r1=register',
    '===operator',
    'XDP_PASS=constant',
    'goto=keyword',
    'l=label',
    '# why=comment',
    'call=mnemonic',
    'bpf_ktime_get_ns=helper',
    '.section=directive',
    'xdp=symbol',
    ',=operator',
    '"ax"=string',
    ',=operator',
    '@=operator',
    'progbits=keyword',
    'ldxw=mnemonic',
    '%r1=register',
    ',=operator',
    '[=operator',
    '%r2=register',
    '+=operator',
    '4=number',
    ']=operator',
  ]);
});

test.each([
  ['r1 = 5\nexit', 'pseudoc'],
  ['mov %r1, 5\nexit', 'gnu'],
  ['', 'pseudoc'],
])('the dialect of %j is %s', (text, dialect) => {
  expect(parseText(text).dialect).toBe(dialect);
});
