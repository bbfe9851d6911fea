import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { hexText } from '#core/bytes/hex.ts';
import { Assembler, type Mem } from '#core/jit/x86-64/assembler.ts';
import { decodeX86, type X86Insn } from '#core/jit/x86-64/decode.ts';
import { FORMS } from '#core/jit/x86-64/forms.ts';
import { printX86 } from '#core/jit/x86-64/print.ts';
import type { Form } from '#core/jit/x86-64/row.ts';
import { X86_ROWS, type X86Id } from '#core/jit/x86-64/rows.ts';
import { inRoot } from '#scripts/lib/paths.ts';

const REGS = [0, 1, 2, 3, 5, 6, 7, 8, 10, 12, 13, 15];
const IMMS = [0, 1, 5, 127, -1, -128, 128, 0x12345678, -0x80000000];
const MEMS: readonly Mem[] = [
  ...[0, 5, 7, 12, 13].flatMap((base): Mem[] => [
    { base, index: -1, scale: 1, disp: 8, dispBytes: 1 },
    { base, index: -1, scale: 1, disp: -128, dispBytes: 1 },
    { base, index: -1, scale: 1, disp: 0x1234, dispBytes: 4 },
    { base, index: 12, scale: 1, disp: -16, dispBytes: 1 },
    { base, index: 2, scale: 8, disp: 0x138, dispBytes: 4 },
  ]),
  { base: 0, index: -1, scale: 1, disp: 0, dispBytes: 0 },
  { base: -1, index: -1, scale: 1, disp: -0x7c4f_4000, dispBytes: 4 },
];

/** Bytes of a row with every kind of operand that it can have. */
function samples(form: Form): Uint8Array[] {
  const found: Uint8Array[] = [];
  const write = (emit: (asm: Assembler) => void): void => {
    const asm = new Assembler();
    emit(asm);
    found.push(asm.take());
  };
  const { opEn } = form.row;
  const registers = !form.operands.some(({ kind }) => kind === 'm');
  const memory = form.operands.some(({ kind }) => kind === 'm' || kind === 'rm');
  const gs = form.operands.some((operand) => operand.gs);
  const mems = gs ? MEMS.slice(-1) : MEMS;
  if (opEn === 'ZO') write((asm) => asm.zo(form));
  if (opEn === 'D') for (const by of [0, 100, -100]) write((asm) => asm.rel(form, by));
  if (opEn === 'I') for (const imm of IMMS) write((asm) => asm.ri(form, 0, imm));
  if (opEn === 'OI') {
    for (const reg of REGS) {
      for (const imm of IMMS) {
        write((asm) => (form.immBytes === 8 ? asm.ri64(form, reg, imm, imm >> 1) : asm.ri(form, reg, imm)));
      }
    }
  }
  if (opEn === 'O') for (const reg of REGS) write((asm) => asm.r(form, reg));
  if (opEn === 'M' || opEn === 'M1' || opEn === 'MC') {
    for (const reg of REGS) write((asm) => asm.r(form, reg));
    if (opEn === 'M') for (const mem of mems) write((asm) => asm.m(form, mem));
  }
  if (opEn === 'MI') {
    for (const imm of IMMS) {
      for (const reg of REGS) write((asm) => asm.ri(form, reg, imm));
      for (const mem of mems) write((asm) => asm.mi(form, mem, imm));
      write((asm) => asm.mdi(form, 7, 300, imm));
    }
  }
  for (const reg of REGS) {
    if (opEn === 'RMV') {
      for (const rm of REGS) write((asm) => asm.rrr(form, reg, rm, (rm * 7) % 16));
    }
    if (opEn === 'RMI') {
      for (const imm of IMMS) write((asm) => asm.rri(form, reg, (reg * 7) % 16, imm));
    }
    if (opEn !== 'MR' && opEn !== 'RM') continue;
    if (registers) for (const rm of REGS) write((asm) => asm.rr(form, reg, rm));
    if (memory) for (const mem of mems) write((asm) => asm.rm(form, reg, mem));
    if (memory && !gs) write((asm) => asm.rmd(form, reg, 13, 0));
  }
  return found;
}

/** The part of iced-x86 that is used here. */
interface Iced {
  readonly Decoder: new (bits: number, bytes: Uint8Array, options: number) => IcedDecoder;
  readonly DecoderOptions: { readonly None: number };
  readonly Formatter: new (syntax: number) => IcedFormatter;
  readonly FormatterSyntax: { readonly Intel: number };
  readonly MemorySizeOptions: { readonly Always: number };
}
interface IcedInsn {
  readonly length: number;
  free(): void;
}
interface IcedDecoder {
  ip: bigint;
  decode(): IcedInsn;
  free(): void;
}
interface IcedFormatter {
  format(insn: IcedInsn): string;
  spaceAfterOperandSeparator: boolean;
  hexPrefix: string;
  hexSuffix: string;
  uppercaseHex: boolean;
  smallHexNumbersInDecimal: boolean;
  memorySizeOptions: number;
  signedImmediateOperands: boolean;
  branchLeadingZeros: boolean;
  showBranchSize: boolean;
}

/** The foreign decoder; undefined where it is not installed. `ICED_X86` names another folder to look in. */
function loadIced(): Iced | undefined {
  for (const folder of [process.env.ICED_X86, inRoot('.')]) {
    if (folder === undefined) continue;
    try {
      return createRequire(join(folder, 'package.json'))('iced-x86') as Iced;
    } catch {
      // Not here.
    }
  }
  return undefined;
}

const iced = loadIced();
if (iced === undefined)
  console.log('iced-x86 is not installed; 0 of our x86-64 instructions compared with it');

const ADDR = 0xffffffffc0000000n;

/** Address that iced says, or undefined where the bytes are no instruction for it. */
function foreign({ Decoder, DecoderOptions, Formatter, FormatterSyntax, MemorySizeOptions }: Iced) {
  const formatter = new Formatter(FormatterSyntax.Intel);
  formatter.spaceAfterOperandSeparator = true;
  formatter.hexPrefix = '0x';
  formatter.hexSuffix = '';
  formatter.uppercaseHex = false;
  formatter.smallHexNumbersInDecimal = false;
  formatter.memorySizeOptions = MemorySizeOptions.Always;
  formatter.branchLeadingZeros = false;
  formatter.showBranchSize = false;
  return (bytes: Uint8Array, insn: X86Insn): { readonly text: string; readonly length: number } => {
    formatter.signedImmediateOperands = insn.form.row.opEn !== 'OI';
    const decoder = new Decoder(64, bytes, DecoderOptions.None);
    decoder.ip = ADDR;
    const decoded = decoder.decode();
    const answer = { text: formatter.format(decoded), length: decoded.length };
    decoded.free();
    decoder.free();
    return answer;
  };
}

/** Spellings that differ and mean the same. */
function normal(text: string): string {
  return text
    .replace(/^(xchg ax, ax|nop)$/, 'nop')
    .replace(/^imul (\w+), \1, /, 'imul $1, ')
    .replace(/\[(0x[0-9a-f]+)\]/, (_, at: string) => `[0x${BigInt.asUintN(64, BigInt(at)).toString(16)}]`)
    .replace(/(?<=, )-?0x[0-9a-f]+$/, (number) => String(BigInt.asUintN(64, signed(number))));
}

function signed(text: string): bigint {
  return text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text);
}

describe('each row of the instruction table', () => {
  const read = iced === undefined ? undefined : foreign(iced);

  test.each(X86_ROWS.map(({ id }) => id))('%s', (id: X86Id) => {
    const all = samples(FORMS[id]);
    expect(all.length).toBeGreaterThan(0);
    for (const bytes of all) {
      const insn = decodeX86(bytes, 0);
      const hex = hexText(bytes);
      expect(insn?.form.row.id, hex).toBe(id);
      if (insn === undefined) continue;
      expect(insn.length, hex).toBe(bytes.length);
      if (read === undefined) continue;
      const other = read(bytes, insn);
      expect(other.length, hex).toBe(bytes.length);
      expect(normal(printX86(insn, { addr: ADDR })), hex).toBe(normal(other.text));
    }
  });
});

test('bytes that are no instruction of the table, or not whole, are not decoded', () => {
  expect(decodeX86(Uint8Array.of(0x0f, 0x0b), 0)).toBeUndefined();
  expect(decodeX86(Uint8Array.of(0x48, 0x81, 0xec, 8, 0), 0)).toBeUndefined();
  expect(decodeX86(new Uint8Array(), 0)).toBeUndefined();
  for (let first = 0; first < 0x10000; first++) {
    const insn = decodeX86(Uint8Array.of(first >> 8, first, 0xff, 0xff), 0);
    if (insn !== undefined) expect(insn.length).toBeLessThanOrEqual(4);
  }
});

test('names of rows are unique, and no two rows have the same encoding', () => {
  expect(new Set(X86_ROWS.map(({ id }) => id)).size).toBe(X86_ROWS.length);
  const encodings = X86_ROWS.map(({ opcode, insn }) => `${opcode} ${/^LOCK|GS:/.test(insn)}`);
  expect(new Set(encodings).size).toBe(X86_ROWS.length);
});
