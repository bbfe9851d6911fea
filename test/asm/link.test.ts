import { expect, test } from 'vitest';
import { assemble } from '#core/asm/assemble.ts';
import { disassembleText } from '#core/asm/disassemble.ts';
import { linkProgram } from '#core/object/link.ts';
import { progTypeOfSection } from '#core/object/prog-types.ts';
import { objectFromInsns, parseHexInsns, recogniseSource } from '#core/object/raw.ts';

function link(text: string, name?: string) {
  const out = assemble(text, { fileName: 'x.s' });
  expect(out.diagnostics.filter((d) => d.severity === 'error')).toEqual([]);
  return linkProgram(out.value, name);
}

function linked(text: string, name?: string) {
  const { value, errors } = link(text, name);
  expect(errors).toEqual([]);
  return value!;
}

const TWO = `
.section xdp
.globl first
first: call helper
  exit
.globl second
second: r6 = 2
  call other
  r0 = code_addr(+2) ll
  exit
.text
helper: r0 = 1
  call deeper
  exit
other: r0 = 2
  exit
deeper: r0 = 3
  exit
`;

test('a program comes first, then what it calls, and nothing else', () => {
  const attr = linked(TWO.replace('  r0 = code_addr(+2) ll\n', ''), 'first');
  expect(disassembleText(attr.insns, 'pseudoc')).toEqual([
    '\tcall func_2',
    '\texit',
    'func_2:',
    '\tr0 = 1',
    '\tcall func_5',
    '\texit',
    'func_5:',
    '\tr0 = 3',
    '\texit',
  ]);
  expect(attr.funcs).toEqual([
    { insnOff: 0, name: 'first', isGlobal: true },
    { insnOff: 2, name: 'helper' },
    { insnOff: 5, name: 'deeper' },
  ]);
  expect(attr.lineInfo.map((l) => l.line)).toEqual([4, 5, 11, 12, 13, 16, 17]);
  expect(attr.progType).toBe('xdp');
});

test('a global function of the same section is found by its relocation', () => {
  const attr = linked(
    '.globl main\n.globl sub\n.type main,@function\n.type sub,@function\nmain: call sub\nexit\n.size main, .-main\nsub: r0 = 5\nexit\n.size sub, .-sub',
    'main',
  );
  expect(disassembleText(attr.insns, 'pseudoc')).toEqual([
    '\tcall func_2',
    '\texit',
    'func_2:',
    '\tr0 = 5',
    '\texit',
  ]);
});

test('a local function within the program stays where it is', () => {
  const attr = linked('r1 = 1\ncall sub\nexit\nsub: r0 = r1\nexit');
  expect(attr.insns.length).toBe(40);
  expect(attr.funcs).toEqual([
    { insnOff: 0, name: 'x', isGlobal: true },
    { insnOff: 3, name: 'sub' },
  ]);
});

test('map loads hold the index of the map', () => {
  const attr = linked(
    '.map a, array, 4, 8, 1\n.map b, hash, 4, 8, 1\n.section tc\nr1 = b ll\nr2 = a ll\nexit',
  );
  expect(Buffer.from(attr.insns).toString('hex')).toBe(
    '18110000010000000000000000000000' + '18120000000000000000000000000000' + '9500000000000000',
  );
  expect(attr.maps.map((m) => m.name)).toEqual(['a', 'b']);
  expect(attr.progType).toBe('sched_cls');
});

test('data sections become array maps', () => {
  const attr = linked(
    '.map a, array, 4, 8, 1\nr1 = x ll\nr2 = y + 4 ll\nexit\n.data\n.long 1\nx: .long 7\n.section .rodata,"a"\ny: .quad 5',
  );
  expect(
    attr.maps
      .slice(1)
      .map((m) => [m.name, m.type, m.valueSize, m.flags, Buffer.from(m.entries![0]!.value).toString('hex')]),
  ).toEqual([
    ['.data', 'array', 8, 0, '0100000007000000'],
    ['.rodata', 'array', 8, 0x80, '0500000000000000'],
  ]);
  expect(Buffer.from(attr.insns.subarray(0, 32)).toString('hex')).toBe(
    '18210000010000000000000004000000' + '18220000020000000000000004000000',
  );
});

test('a function address becomes a function load', () => {
  const attr = linked('.section xdp\nr1 = cb ll\nexit\n.text\ncb: r0 = 0\nexit');
  expect(disassembleText(attr.insns, 'pseudoc')).toEqual([
    '\tr1 = code_addr(func_3) ll',
    '\texit',
    'func_3:',
    '\tr0 = 0',
    '\texit',
  ]);
});

test('the licence is read from its section', () => {
  expect(linked('exit\n.license "Dual MIT/GPL"').license).toBe('Dual MIT/GPL');
});

test.each([
  ['no such program', 'exit', 'nothing', 'there is no program called nothing; programs are x'],
  ['no program at all', '.data\n.long 1', undefined, 'there is no program: no section holds instructions'],
  ['an undefined function', '.extern f\ncall f\nexit', undefined, 'f is not defined in this object'],
  [
    'pointers in data',
    'r1 = p ll\nexit\n.data\np: .quad p',
    undefined,
    '.data holds the address of .data at offset 0',
  ],
])('%s', (_name, text, program, message) => {
  const { value, errors } = link(text, program);
  expect(value).toBeUndefined();
  expect(errors.join('\n')).toContain(message);
});

test('raw instructions become an object with one program', () => {
  const { value } = parseHexInsns('b7 00 00 00 2a 00 00 00\n0x95,0x00 00000000 0000 # exit');
  expect(value.length).toBe(16);
  const attr = linkProgram(objectFromInsns(value, { name: 'p', progType: 'xdp' })).value!;
  expect([attr.name, attr.progType, Buffer.from(attr.insns).toString('hex')]).toEqual([
    'p',
    'xdp',
    Buffer.from(value).toString('hex'),
  ]);
});

test.each([
  ['b700zz', 'not-hex', '`z` is not a hexadecimal digit', 4],
  ['b7 0', 'half-byte', 'a byte has two digits: 00', 3],
  ['b7 00 00', 'partial-instruction', '3 bytes are not whole instructions of 8 bytes; 5 are missing', 0],
])('hex text %j is refused', (text, code, message, at) => {
  const { diagnostics } = parseHexInsns(text);
  expect(diagnostics).toHaveLength(1);
  expect([diagnostics[0]!.code, diagnostics[0]!.range.start]).toEqual([code, at]);
  expect(diagnostics[0]!.message).toContain(message);
});

const ascii = (text: string) => new TextEncoder().encode(text);
test.each([
  ['a.o', Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2, 1, 1), 'elf'],
  ['-', Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2, 1, 1), 'elf'],
  ['a.bin', Uint8Array.of(0xb7, 0, 0, 0, 1, 0, 0, 0), 'raw'],
  ['-', Uint8Array.of(0xb7, 0, 0, 0, 1, 0, 0, 0), 'raw'],
  ['a.bpf.s', ascii('r0 = 1\nexit\n'), 'asm'],
  ['-', ascii('r0 = 1\nexit\n'), 'asm'],
  ['-', ascii('b7 00 00 00 01 00 00 00 95 00 00 00 00 00 00 00\n'), 'hex'],
  ['a.hex', ascii('b700000001000000'), 'hex'],
  ['a.cbpf', ascii('ldh [12]\nret #0\n'), 'cbpf'],
  ['-', ascii('(000) ldh      [12]\n(001) ret      #0\n'), 'cbpf'],
  ['-', ascii('static struct sock_filter code[] = {\n{ 0x6, 0, 0, 0 },\n};\n'), 'cbpf-dd'],
  ['-', ascii('2\n40 0 0 12\n6 0 0 0\n'), 'cbpf-ddd'],
  ['-', ascii('{ 0x28, 0, 0, 0x0000000c },\n{ 0x6, 0, 0, 0 },\n'), 'cbpf-dd'],
] as const)('%s with %o is recognised', (name, head, kind) => {
  expect(recogniseSource(name, head)).toBe(kind);
});

test.each([
  ['xdp', 'xdp'],
  ['xdp.frags', 'xdp'],
  ['xdp/devmap', 'xdp'],
  ['tc', 'sched_cls'],
  ['tcx/ingress', 'sched_cls'],
  ['classifier', 'sched_cls'],
  ['action', 'sched_cls'],
  ['socket', 'socket_filter'],
  ['socket1', 'socket_filter'],
  ['?xdp', 'xdp'],
  ['kprobe/x', undefined],
  ['.text', undefined],
])('section %s tells the type %s', (section, type) => {
  expect(progTypeOfSection(section)).toBe(type);
});
