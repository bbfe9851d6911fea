import type { Mem } from './assembler.ts';
import { FORMS } from './forms.ts';
import { RBP, type Reg, RSP } from './registers.ts';
import type { Form, OperandSpec } from './row.ts';

/** An operand of a decoded instruction. `bits` of memory is 0 where its size says nothing. */
export type X86Operand =
  | { readonly kind: 'reg'; readonly reg: Reg; readonly bits: number }
  | { readonly kind: 'mem'; readonly mem: Mem; readonly bits: number; readonly gs: boolean }
  | { readonly kind: 'imm'; readonly value: bigint; readonly bits: number }
  | { readonly kind: 'rel'; readonly distance: number }
  | { readonly kind: 'fixed'; readonly text: string };

/** An instruction read from memory. */
export interface X86Insn {
  readonly form: Form;
  /** Bytes, at most 15. */
  readonly length: number;
  /** In the order of the manual's instruction column. */
  readonly operands: readonly X86Operand[];
}

const MAX_INSN = 15;

/** Forms by their opcode bytes behind the prefixes (`0x0fb6`), and those with a VEX prefix. */
const LEGACY = new Map<number, Form[]>();
const VEX = new Map<number, Form[]>();
for (const form of Object.values(FORMS)) {
  const key = form.opcode.reduce((sum, byte) => sum * 256 + byte, 0);
  for (let low = 0; low < (form.plusReg ? 8 : 1); low++) {
    const map = form.vex === undefined ? LEGACY : VEX;
    const same = map.get(key + low);
    if (same) same.push(form);
    else map.set(key + low, [form]);
  }
}

/**
 * Reads the instruction at `at` (Intel SDM volume 2, chapter 2). Undefined where the bytes are not one of the
 * table, or not whole. Never throws.
 */
export function decodeX86(bytes: Uint8Array, at: number): X86Insn | undefined {
  const cursor: Cursor = { bytes, at, start: at };
  const prefixes: number[] = [];
  for (let byte = bytes[cursor.at]; isPrefix(byte) && prefixes.length < 4; byte = bytes[cursor.at]) {
    prefixes.push(byte);
    cursor.at++;
  }
  let rex = 0;
  let candidates: readonly Form[] | undefined;
  let vvvv = 0;
  if (bytes[cursor.at] === 0xc4 && prefixes.length === 0) {
    const [, p1 = 0, p2 = 0, opcode = -1] = bytes.subarray(cursor.at, cursor.at + 4);
    rex = ((~p1 >> 5) & 7) | (p2 >> 7 ? 8 : 0);
    vvvv = (~p2 >> 3) & 15;
    candidates = VEX.get(opcode)?.filter(({ vex }) => vex?.map === (p1 & 31) && vex.pp === (p2 & 7));
    cursor.at += 4;
  } else {
    const byte = bytes[cursor.at] ?? 0;
    if (byte >> 4 === 4) {
      rex = byte & 15;
      cursor.at++;
    }
    candidates = legacy(cursor);
  }
  const form = candidates?.find((each) => fits(each, prefixes, rex, bytes[cursor.at]));
  return form === undefined ? undefined : finish(form, cursor, rex, vvvv);
}

interface Cursor {
  readonly bytes: Uint8Array;
  readonly start: number;
  at: number;
}

function isPrefix(byte: number | undefined): byte is number {
  return byte === 0xf0 || byte === 0x65 || byte === 0x66 || byte === 0xf3;
}

/** The forms of the opcode at the cursor, which moves behind it. */
function legacy(cursor: Cursor): readonly Form[] | undefined {
  const [first = -1, second = 0, third = 0] = cursor.bytes.subarray(cursor.at, cursor.at + 3);
  if (first !== 0x0f) {
    cursor.at++;
    return LEGACY.get(first);
  }
  const long = LEGACY.get(0x0f0000 | (second << 8) | third);
  cursor.at += long === undefined ? 2 : 3;
  return long ?? LEGACY.get(0x0f00 | second);
}

function fits(form: Form, prefixes: readonly number[], rex: number, modRm: number | undefined): boolean {
  if (form.rexW !== rex >= 8) return false;
  if (form.prefixes.length !== prefixes.length || form.prefixes.some((each, i) => each !== prefixes[i])) {
    return false;
  }
  if (!form.hasModRm) return true;
  if (modRm === undefined || (form.digit >= 0 && form.digit !== ((modRm >> 3) & 7))) return false;
  return modRm < 0xc0 || !form.operands.some(({ kind }) => kind === 'm');
}

function finish(form: Form, cursor: Cursor, rex: number, vvvv: Reg): X86Insn | undefined {
  const { bytes } = cursor;
  let reg = 0;
  let rm: Reg | Mem = ((bytes[cursor.at - 1] ?? 0) & 7) | ((rex & 1) << 3);
  if (form.hasModRm) {
    const modRm = bytes[cursor.at++] ?? 0;
    reg = ((modRm >> 3) & 7) | ((rex & 4) << 1);
    rm = modRm >= 0xc0 ? (modRm & 7) | ((rex & 1) << 3) : memory(cursor, modRm, rex);
  }
  const imm = immediate(cursor, form.immBytes);
  const length = cursor.at - cursor.start;
  if (cursor.at > bytes.length || length > MAX_INSN) return undefined;
  const places = placesOf(form.row.opEn, reg, rm, vvvv);
  return { form, length, operands: form.operands.map((spec, i) => operand(spec, places[i], imm)) };
}

/** The register or memory of each operand, in their order. */
function placesOf(opEn: string, reg: Reg, rm: Reg | Mem, vvvv: Reg): readonly (Reg | Mem | undefined)[] {
  if (opEn === 'RMV') return [reg, rm, vvvv];
  if (opEn.startsWith('RM')) return [reg, rm];
  if (opEn === 'MR') return [rm, reg];
  return [rm];
}

function operand(spec: OperandSpec, place: Reg | Mem | undefined, imm: bigint): X86Operand {
  if (spec.kind === 'imm') return { kind: 'imm', value: imm, bits: spec.bits };
  if (spec.kind === 'rel') return { kind: 'rel', distance: Number(imm) };
  if (spec.kind === 'fixed') return { kind: 'fixed', text: spec.text };
  if (typeof place === 'object') return { kind: 'mem', mem: place, bits: spec.bits, gs: spec.gs };
  return { kind: 'reg', reg: place ?? 0, bits: spec.bits };
}

/** ModRM, SIB and displacement (Intel SDM volume 2, tables 2-2 and 2-3). */
function memory(cursor: Cursor, modRm: number, rex: number): Mem {
  const mod = modRm >> 6;
  const low = modRm & 7;
  let base = low | ((rex & 1) << 3);
  let index = -1;
  let scale: Mem['scale'] = 1;
  if (low === RSP) {
    const sib = cursor.bytes[cursor.at++] ?? 0;
    base = (sib & 7) | ((rex & 1) << 3);
    index = ((sib >> 3) & 7) | ((rex & 2) << 2);
    if (index === RSP) index = -1;
    scale = (1 << (sib >> 6)) as Mem['scale'];
    if (mod === 0 && (sib & 7) === RBP) base = -1;
  }
  const dispBytes = base < 0 ? 4 : mod === 0 ? 0 : mod === 1 ? 1 : 4;
  return { base, index, scale, disp: Number(immediate(cursor, dispBytes)), dispBytes };
}

/** A signed little-endian number of `size` bytes at the cursor. */
function immediate(cursor: Cursor, size: number): bigint {
  let value = 0n;
  for (let i = 0; i < size; i++) value |= BigInt(cursor.bytes[cursor.at + i] ?? 0) << BigInt(8 * i);
  cursor.at += size;
  return BigInt.asIntN(8 * size, value);
}
