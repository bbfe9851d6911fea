import { SHF_EXECINSTR, SHT_NOBITS } from '../object/elf-constants.ts';
import { type Builder, MAX_FILL } from './builder.ts';
import {
  bad,
  type DirectiveContext,
  directive,
  exprOf,
  type Handler,
  nameOf,
  numberOf,
  raw,
  whereOf,
} from './directive-registry.ts';
import { dataRangeMessage, fitsData } from './resolve.ts';
import type { DirectiveArg } from './statement.ts';
import { stringBytes } from './strings.ts';
import { COMMON } from './symbols.ts';

/** Directives that put bytes into sections. */

function codeData(c: DirectiveContext): void {
  const { section: s } = c.b;
  if ((s.flags & SHF_EXECINSTR) === 0 || s.size % 8 !== 0) return;
  s.lineInfo.push({ insnOff: s.size / 8, file: 0, line: c.lineNumber + 1, column: c.statement.start + 1 });
}

function dataHandler(size: 1 | 2 | 4 | 8): Handler {
  const kind = `data${size}` as const;
  return (c) => {
    const { b, statement } = c;
    const { section: s } = b;
    const nobits = s.type === SHT_NOBITS;
    codeData(c);
    for (const arg of statement.args) {
      const expr = arg.kind === 'expr' ? arg.value : exprOf(c, arg);
      if (nobits && expr !== 0 && notInBss(c)) return;
      const at = s.reserve(size);
      if (expr === undefined || nobits) continue;
      if (typeof expr === 'number') {
        if (size === 1 && expr >= -128 && expr < 256) s.view.setUint8(at, expr);
        else if (size === 2 && expr >= -0x8000 && expr < 0x10000) s.view.setUint16(at, expr, true);
        else if (size === 4 && expr >= -0x80000000 && expr < 0x100000000) s.view.setUint32(at, expr, true);
        else if (size === 8) s.view.setBigInt64(at, BigInt(expr), true);
        else bad(c, arg, dataRangeMessage(BigInt(expr), size), 'data-range');
      } else if (typeof expr === 'bigint') {
        if (!fitsData(expr, size)) bad(c, arg, dataRangeMessage(expr, size), 'data-range');
        else if (size === 8) s.view.setBigInt64(at, BigInt.asIntN(64, expr), true);
      } else {
        b.fixups.push({ kind, section: s, offset: at, expr: b.bind(expr), where: whereOf(c, arg) });
      }
    }
  };
}
directive('.byte', '.byte EXPR…', '8-bit values', dataHandler(1));
directive('.short .2byte .hword .half', '% EXPR…', '16-bit values', dataHandler(2));
directive('.long .4byte .int .word', '% EXPR…', '32-bit values', dataHandler(4));
directive('.quad .8byte .dword .xword', '% EXPR…', '64-bit values', dataHandler(8));

function notInBss(c: DirectiveContext): boolean {
  if (c.b.section.type !== SHT_NOBITS) return false;
  bad(
    c,
    undefined,
    `section ${c.b.section.name} holds no bytes in the file; use .zero, or .data for values`,
    'data-in-bss',
  );
  return true;
}

directive('.octa', '.octa NUMBER…', '128-bit values', (c) => {
  if (notInBss(c)) return;
  for (const arg of c.statement.args) {
    const v = numberOf(c, arg, 'the value');
    const at = c.b.section.reserve(16);
    if (v === undefined) continue;
    c.b.section.view.setBigInt64(at, BigInt.asIntN(64, v), true);
    c.b.section.view.setBigInt64(at + 8, BigInt.asIntN(64, v >> 64n), true);
  }
});

function stringHandler(zero: boolean): Handler {
  return (c) => {
    if (notInBss(c)) return;
    if (c.statement.args.length === 0 && zero)
      return bad(c, undefined, `${c.statement.name} needs a string: ${c.statement.name} "text"`);
    for (const arg of c.statement.args) {
      if (arg.kind !== 'string') {
        // a string without an end is told already
        if (!raw(c, arg).startsWith('"'))
          bad(c, arg, `${c.statement.name} needs a string in double quotes here`);
        continue;
      }
      const { bytes, problem } = stringBytes(raw(c, arg));
      if (problem) {
        const start = c.lineStart + arg.start + problem.start;
        c.b.report({ start, end: c.lineStart + arg.start + problem.end }, 'bad-escape', problem.message);
      }
      const at = c.b.section.reserve(bytes.length + (zero ? 1 : 0));
      c.b.section.bytes.set(bytes, at);
    }
  };
}
directive('.ascii', '.ascii "TEXT"…', 'the bytes of strings', stringHandler(false));
directive('.asciz .string', '% "TEXT"…', 'strings, each with a zero byte behind it', stringHandler(true));
directive('.license', '.license "GPL"', "the program's licence, in section `license`", (c) => {
  const { b } = c;
  const before = b.section;
  b.section = b.sectionNamed('license');
  stringHandler(true)(c);
  b.section = before;
});

/** A section of code with more than this holds no program that loads: a million slots. */
const MAX_CODE_FILL = 8_000_000;

/** Whether `n` more bytes may be filled in; then they count. */
function checkCount(c: DirectiveContext, arg: DirectiveArg | undefined, n: bigint): boolean {
  const isCode = c.b.section.hasInsns || (c.b.section.flags & SHF_EXECINSTR) !== 0;
  if (isCode && n > BigInt(MAX_CODE_FILL - c.b.section.size)) {
    bad(c, arg, `${n} more bytes are too many; at most ${MAX_CODE_FILL} in a section of code`, 'size-range');
    return false;
  }
  if (c.b.takeBytes(n)) return true;
  const taken = n <= BigInt(MAX_FILL) ? ` in all, of which ${c.b.nTaken} are taken` : '';
  const room = `at most ${MAX_FILL}${taken}`;
  bad(c, arg, n < 0n ? `a size cannot be negative: ${n}` : `${n} bytes are too many; ${room}`, 'size-range');
  return false;
}

function fillBytes(c: DirectiveContext, n: number, value: number): void {
  const s = c.b.section;
  const at = s.reserve(n);
  if (value !== 0 && s.type !== SHT_NOBITS) s.bytes.fill(value & 255, at, at + n);
}

directive('.zero .skip .space', '% N[, BYTE]', 'N bytes of zero, or of BYTE', (c) => {
  const [countArg, valueArg] = c.statement.args;
  const n = numberOf(c, countArg, 'the number of bytes');
  const value = valueArg ? numberOf(c, valueArg, 'the value') : 0n;
  if (n === undefined || value === undefined || !checkCount(c, countArg, n)) return;
  fillBytes(c, Number(n), Number(BigInt.asUintN(8, value)));
});
directive('.fill', '.fill REPEAT[, SIZE[, VALUE]]', 'REPEAT values of SIZE bytes', (c) => {
  const [countArg, sizeArg, valueArg] = c.statement.args;
  const n = numberOf(c, countArg, 'the number of repetitions');
  const size = sizeArg ? numberOf(c, sizeArg, 'the size') : 1n;
  const value = valueArg ? numberOf(c, valueArg, 'the value') : 0n;
  if (n === undefined || size === undefined || value === undefined) return;
  if (size < 0n || size > 8n) return bad(c, sizeArg, `the size is 0 to 8 bytes, not ${size}`, 'size-range');
  if (!checkCount(c, countArg, n * size) || notInBss(c)) return;
  const width = Number(size);
  const at = c.b.section.reserve(Number(n) * width);
  for (let i = 0; i < Number(n) * width; i++) {
    c.b.section.bytes[at + i] = i % width < 4 ? Number((value >> BigInt((i % width) * 8)) & 255n) : 0;
  }
});

/** What LLVM pads code with (its writeNopData for BPF): no instruction at all, so nothing may fall into it. */
const NOP = [0, 0, 0, 0x15, 0, 0, 0, 0];

function alignTo(
  c: DirectiveContext,
  s: Builder['section'],
  align: number,
  fill?: number,
  max?: number,
): void {
  if (align > s.align) s.align = align;
  const missing = (align - (s.size % align)) % align;
  if (missing === 0 || (max !== undefined && max > 0 && missing > max)) return;
  if (!checkCount(c, c.statement.args[0], BigInt(missing))) return;
  const at = s.reserve(missing);
  if (s.type === SHT_NOBITS) return;
  if (fill !== undefined) s.bytes.fill(fill & 255, at, at + missing);
  else if (s.flags & SHF_EXECINSTR || s.hasInsns) {
    if (missing % 8 !== 0 || at % 8 !== 0) return;
    for (let i = 0; i < missing; i++) s.bytes[at + i] = NOP[i % 8]!;
    for (let i = 0; i < missing; i += 8) {
      s.lineInfo.push({
        insnOff: (at + i) / 8,
        file: 0,
        line: c.lineNumber + 1,
        column: c.statement.start + 1,
      });
    }
  }
}

function alignment(c: DirectiveContext, power: boolean): void {
  const [alignArg, fillArg, maxArg] = c.statement.args;
  const n = numberOf(c, alignArg, 'the alignment');
  if (n === undefined) return;
  const fill = fillArg && fillArg.kind !== 'empty' ? numberOf(c, fillArg, 'the fill value') : undefined;
  const max = maxArg ? numberOf(c, maxArg, 'the limit') : undefined;
  if (power ? n < 0n || n > 16n : n < 0n || n > 65536n || (n & (n - 1n)) !== 0n) {
    bad(
      c,
      alignArg,
      power
        ? `${c.statement.name} takes a power of two as exponent, 0 to 16, not ${n}`
        : `the alignment must be a power of two up to 65536, not ${n}`,
      'bad-alignment',
    );
    return;
  }
  alignTo(
    c,
    c.b.section,
    power ? 1 << Number(n) : Math.max(1, Number(n)),
    fill === undefined ? undefined : Number(BigInt.asUintN(8, fill)),
    max === undefined ? undefined : Number(max),
  );
}
directive('.p2align', '.p2align N[, FILL[, MAX]]', 'aligns to 2^N bytes', (c) => alignment(c, true));
directive('.align .balign', '% N[, FILL[, MAX]]', 'aligns to N bytes', (c) => alignment(c, false));

directive('.org', '.org OFFSET', 'goes on at OFFSET of the section', (c) => {
  const arg = c.statement.args[0];
  const expr = exprOf(c, arg);
  if (expr === undefined || !arg) return;
  const value = c.b.evaluate(c.b.bind(expr), true);
  const to =
    typeof value === 'object' && !value.minus
      ? (value.plus ? value.plus.value : 0n) + value.addend
      : undefined;
  if (to === undefined || to < BigInt(c.b.section.size))
    return bad(c, arg, '.org can only go forward in its section');
  const n = to - BigInt(c.b.section.size);
  if (checkCount(c, arg, n)) fillBytes(c, Number(n), 0);
});

function leb(signed: boolean): Handler {
  return (c) => {
    const { b } = c;
    if (notInBss(c)) return;
    for (const arg of c.statement.args) {
      const expr = exprOf(c, arg);
      if (expr === undefined) continue;
      const id = b.nLebs++;
      const value = b.evaluate(b.bind(expr), false);
      const known = typeof value === 'object' && !value.plus && !value.minus ? value.addend : undefined;
      if (known === undefined) {
        // not known yet: the room it took in the pass before, and the value at the end of this one
        const at = b.section.reserve(b.lebSizes.get(id) ?? 1);
        b.lateLebs.push({
          id,
          signed,
          section: b.section,
          offset: at,
          expr: b.bind(expr),
          where: whereOf(c, arg),
        });
        continue;
      }
      const bytes = encodeLeb(known, signed, 0);
      const at = b.section.reserve(bytes.length);
      b.section.bytes.set(bytes, at);
    }
  };
}
directive('.uleb128', '.uleb128 EXPR…', 'unsigned LEB128 values', leb(false));
directive('.sleb128', '.sleb128 EXPR…', 'signed LEB128 values', leb(true));

/** LEB128 of a value, padded to at least `width` bytes. */
function encodeLeb(value: bigint, signed: boolean, width: number): number[] {
  const out: number[] = [];
  let v = signed ? value : BigInt.asUintN(64, value);
  for (;;) {
    const byte = Number(v & 127n);
    v >>= 7n;
    const done = signed ? (v === 0n && (byte & 64) === 0) || (v === -1n && (byte & 64) !== 0) : v === 0n;
    if (done && out.length + 1 >= width) {
      out.push(byte);
      return out;
    }
    out.push(byte | 128);
  }
}

/** Works out the LEBs that had to wait; notes in `lebSizes` which need more room than they got. */
export function finishLebs(b: Builder): void {
  for (const late of b.lateLebs) {
    const value = b.evaluate(late.expr, true);
    if (typeof value !== 'object' || value.plus || value.minus) {
      b.report(
        b.rangeOf(late.where),
        'not-absolute',
        'a LEB128 value must be a number or the difference of two labels of one section',
      );
      continue;
    }
    const room = b.lebSizes.get(late.id) ?? 1;
    const bytes = encodeLeb(value.addend, late.signed, room);
    if (bytes.length > room) {
      b.lebSizes.set(late.id, bytes.length);
      b.lebGrown = true;
    } else late.section.bytes.set(bytes, late.offset);
  }
}

function common(c: DirectiveContext, local: boolean): void {
  const [nameArg, sizeArg, alignArg] = c.statement.args;
  const name = nameOf(c, nameArg);
  const size = numberOf(c, sizeArg, 'the size');
  const align = alignArg ? numberOf(c, alignArg, 'the alignment') : 1n;
  if (name === undefined || size === undefined || align === undefined || !nameArg) return;
  if (align < 0n || align > 65536n || (align & (align - 1n)) !== 0n) {
    const message = `the alignment must be a power of two up to 65536, not ${align}`;
    bad(c, alignArg, message, 'bad-alignment');
    return;
  }
  if (!checkCount(c, sizeArg, size)) return;
  const sym = c.b.symbol(name);
  sym.range = { start: c.lineStart + nameArg.start, end: c.lineStart + nameArg.end };
  sym.type = 'object';
  sym.size = size;
  if (local || sym.binding === 'local') {
    const bss = c.b.sectionNamed('.bss');
    alignTo(c, bss, Math.max(1, Number(align)));
    sym.section = bss.index;
    sym.value = BigInt(bss.reserve(Number(size)));
    return;
  }
  sym.section = COMMON;
  sym.value = align;
  sym.binding ??= 'global';
}
directive('.comm', '.comm NAME, SIZE[, ALIGN]', 'a variable without a value, shared between objects', (c) =>
  common(c, false),
);
directive('.lcomm', '.lcomm NAME, SIZE[, ALIGN]', 'a variable without a value', (c) => common(c, true));
