import fc from 'fast-check';
import { expect, test } from 'vitest';
import { INSN_SIZE, writeInsn } from '#core/isa/insn.ts';
import { compileX86 } from '#core/jit/x86-64/compile-x86.ts';
import { X86_PRESETS } from '#core/jit/x86-64/config.ts';
import { decodeX86 } from '#core/jit/x86-64/decode.ts';
import { printX86 } from '#core/jit/x86-64/print.ts';
import type { X86Program } from '#core/jit/x86-64/program.ts';

const SEED = 20261123;
const config = X86_PRESETS['linux-6.18'];
const IMAGE = 0xffffffffc0001000n;
type Row = readonly [opcode: number, dst: number, src: number, off: number, imm: number];
const MOV: Row = [0xb7, 0, 0, 0, 1];
const EXIT: Row = [0x95, 0, 0, 0, 0];

function insnsOf(rows: readonly Row[]): Uint8Array {
  const bytes = new Uint8Array(rows.length * INSN_SIZE);
  rows.forEach(([opcode, dst, src, off, imm], i) => {
    writeInsn(bytes, i, { opcode, dst, src, off, imm });
  });
  return bytes;
}

function program(rows: readonly Row[], more: Partial<X86Program> = {}): X86Program {
  return { insns: insnsOf(rows), funcs: [0], stackDepths: [0], imageAddrs: [IMAGE], ...more };
}

const REFUSED: readonly (readonly [string, X86Program, RegExp, number | undefined])[] = [
  ['no instruction', program([]), /at least one/, undefined],
  ['half an instruction', program([], { insns: new Uint8Array(12) }), /whole instructions/, undefined],
  ['too long', program([], { insns: new Uint8Array(8_000_008) }), /1000001 slots; at most 1000000/, undefined],
  ['unknown opcode', program([MOV, [0xff, 0, 0, 0, 0], EXIT]), /unknown instruction \(opcode 0xff\)/, 1],
  ['a register that is none', program([[0xbf, 12, 0, 0, 0], EXIT]), /R12 does not exist/, 0],
  ['half of a wide load', program([MOV, [0x18, 1, 0, 0, 0]]), /second half/, 1],
  ['a jump behind the end', program([[0x05, 0, 0, 5, 0], EXIT]), /out of its function, to slot 6/, 0],
  ['a jump before the start', program([MOV, [0x15, 0, 0, -3, 0], EXIT]), /to slot -1/, 1],
  ['a far goto', program([[0x06, 0, 0, 0, 0x7fff_ffff], EXIT]), /out of its function/, 0],
  ['a call of nothing', program([[0x85, 0, 1, 0, 7], EXIT]), /no function begins/, 0],
  ['an address of nothing', program([[0x18, 1, 4, 0, 7], [0, 0, 0, 0, 0], EXIT]), /no function begins/, 0],
  ['an unresolved load', program([[0x20, 0, 0, 0, 0], EXIT]), /rewritten at load/, 0],
  ['an indirect call', program([[0x8d, 1, 0, 0, 0], EXIT]), /callx/, 0],
  ['a cast without arena', program([[0xbf, 1, 2, 1, 0x10000], EXIT]), /needs the arena/, 0],
  ['an atomic of an arena', program([[0xfb, 1, 2, 0, 0x51], EXIT]), /atomic operation 0x51/, 0],
  ['no first function', program([EXIT], { funcs: [] }), /first function/, undefined],
  ['functions out of order', program([EXIT, EXIT], { funcs: [0, 5] }), /function 0 must begin|function 1 must begin/, undefined],
  ['too deep a stack', program([EXIT], { stackDepths: [529] }), /stack depth from 0 to 528/, undefined],
  ['no stack depth', program([EXIT], { stackDepths: [] }), /stack depth/, undefined],
  ['no image address', program([EXIT], { imageAddrs: [] }), /image address/, undefined],
  ['thunks out of reach', program([EXIT], { imageAddrs: [0x1_0000_1000n] }), /return thunk is more than 2 GiB/, 0],
]; // biome-ignore format: one row a line

test.each(REFUSED)('refused: %s', (_, input, message, slot) => {
  const outcome = compileX86(input, config);
  expect(outcome.ok).toBe(false);
  if (outcome.ok) return;
  expect(outcome.message).toMatch(message);
  expect(outcome.slot).toBe(slot);
});

test(`any bytes are compiled or refused (seed ${SEED})`, () => {
  const insn = fc.tuple(
    fc.constantFrom(
      0x05,
      0x07,
      0x0f,
      0x15,
      0x18,
      0x1d,
      0x61,
      0x63,
      0x7a,
      0x85,
      0x95,
      0xb4,
      0xbf,
      0xc3,
      0xdb,
      0xd4,
    ),
    fc.nat(11),
    fc.nat(11),
    fc.constantFrom(0, 0, 0, 1, -1, 2, 8, -8, 300),
    fc.oneof(fc.constantFrom(0, 1, 12, 16, 64, 0x41, 0xf1, 127, 128, -129), fc.integer()),
  );
  const programs = fc.oneof(
    fc.array(insn, { minLength: 1, maxLength: 40 }).map((rows) => insnsOf(rows)),
    fc.uint8Array({ minLength: 0, maxLength: 80 }),
  );
  fc.assert(
    fc.property(programs, fc.boolean(), (insns, ibt) => {
      const outcome = compileX86(
        { insns, funcs: [0], stackDepths: [64], imageAddrs: [IMAGE] },
        ibt ? X86_PRESETS['linux-6.18-ibt'] : X86_PRESETS['plain-ret'],
      );
      if (!outcome.ok) {
        expect(outcome.message).not.toBe('');
        return;
      }
      for (const { image, insnToJitOff } of outcome.funcs) {
        for (let at = 0; at < image.length; ) {
          const decoded = decodeX86(image, at);
          if (decoded === undefined) throw new Error(`bytes at ${at} are no instruction of the table`);
          at += decoded.length;
        }
        expect(insnToJitOff.at(-1)).toBe(image.length);
      }
    }),
    { seed: SEED, numRuns: 3000 },
  );
});

test('any bytes are decoded and printed, or not', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 20 }), (bytes) => {
      const insn = decodeX86(bytes, 0);
      if (insn === undefined) return;
      expect(insn.length).toBeLessThanOrEqual(Math.min(15, bytes.length));
      expect(printX86(insn, { addr: IMAGE })).not.toBe('');
    }),
    { seed: SEED, numRuns: 5000 },
  );
});

test('a chain of jumps that each wait for the next is padded from the 16th pass on', () => {
  const filler: Row[] = [
    ...Array<Row>(6).fill([0xbf, 9, 2, 0, 0]),
    ...Array<Row>(19).fill([0x07, 8, 0, 0, 1]),
    ...Array<Row>(2).fill([0xbf, 9, 2, 0, 0]),
  ];
  const links = 24;
  const rows: Row[] = [];
  // Each jump leads six moves behind the next jump: 123 bytes when that one is short, 127 when it is not.
  for (let i = 0; i < links; i++) rows.push([0x1d, 1, 2, filler.length + 7, 0], ...filler);
  rows.push([0x1d, 1, 2, filler.length, 0], ...filler, ...filler.slice(0, 6), MOV, EXIT);
  const outcome = compileX86(program(rows), config);
  if (!outcome.ok) throw new Error(outcome.message);
  const [func] = outcome.funcs;
  const starts = Array.from(
    { length: links + 1 },
    (_, i) => func?.insnToJitOff[i * (filler.length + 1)] ?? 0,
  );
  const kinds = starts.map((end) => {
    const image = func?.image ?? new Uint8Array();
    if (image[end - 2] !== 0x74) return 'near';
    return image[end - 6] === 0x0f && image[end - 5] === 0x1f ? 'padded' : 'short';
  });
  // As the running kernel had it (6.18.44) for 24 links: 10 near, one padded, 14 short.
  expect(kinds).toEqual([...Array(10).fill('near'), 'padded', ...Array(14).fill('short')]);
});

test('a program of 100,000 instructions compiles', () => {
  const rows: Row[] = [];
  while (rows.length < 99_998) rows.push([0x07, rows.length % 10, 0, 0, rows.length], [0x15, 3, 0, 20, 7]);
  for (let i = 0; i < 40; i++) rows.push(MOV);
  rows.push(EXIT);
  const outcome = compileX86(program(rows), config);
  if (!outcome.ok) throw new Error(outcome.message);
  expect(outcome.funcs[0]?.insnToJitOff).toHaveLength(rows.length);
});
