import { uapiConstant } from '../isa/constants.ts';
import { SHF_EXECINSTR, SHT_NOBITS } from '../object/elf-constants.ts';
import { MAP_TYPES, mapTypeByName } from '../object/map-types.ts';
import { PROG_TYPES } from '../object/prog-types.ts';
import type { Builder, Where } from './builder.ts';
import type { Expr } from './expr.ts';
import { dataRangeMessage, fitsData } from './resolve.ts';
import { parseSectionFlags, sectionTypeByName } from './sections.ts';
import type { DirectiveArg, DirectiveStatement } from './statement.ts';
import { stringBytes } from './strings.ts';
import { suggest } from './suggest.ts';
import { ABSOLUTE, COMMON, UNDEFINED } from './symbols.ts';

/** A directive where it stands. */
export interface DirectiveContext {
  readonly b: Builder;
  readonly statement: DirectiveStatement;
  readonly lineStart: number;
  /** 0-based. */
  readonly lineNumber: number;
}

type Handler = (c: DirectiveContext) => void;

const ignore: Handler = () => {};

/** One directive: what it does, and how to write it, for hover and completion. */
export interface DirectiveInfo {
  readonly name: string;
  readonly usage: string;
  readonly meaning: string;
}

const HANDLERS = new Map<string, Handler>();
const INFOS: DirectiveInfo[] = [];

function directive(names: string, usage: string, meaning: string, handler: Handler): void {
  for (const name of names.split(' ')) {
    HANDLERS.set(name, handler);
    INFOS.push({ name, usage: usage.replace('%', name), meaning });
  }
}

/** All directives that are understood, those that are read and ignored included. */
export const DIRECTIVES: readonly DirectiveInfo[] = INFOS;

/** Carries out a directive; unknown ones are errors with a suggestion. */
export function runDirective(c: DirectiveContext): void {
  const { name } = c.statement;
  const handler = HANDLERS.get(name) ?? (name.startsWith('.cfi_') ? ignore : undefined);
  if (handler) {
    handler(c);
    return;
  }
  const near = suggest(name, HANDLERS.keys());
  c.b.report(
    { start: c.lineStart + c.statement.start, end: c.lineStart + c.statement.nameEnd },
    'unknown-directive',
    `unknown directive \`${name}\`${near ? `; did you mean \`${near}\`?` : ''}`,
    near ? { fix: { title: `Change to ${near}`, newText: near } } : {},
  );
}

// --- arguments

function whereOf(c: DirectiveContext, arg: { start: number; end: number }): Where {
  return { lineStart: c.lineStart, statement: undefined, operand: 0, start: arg.start, end: arg.end };
}

function bad(
  c: DirectiveContext,
  arg: { start: number; end: number } | undefined,
  message: string,
  code = 'bad-argument',
): void {
  const at = arg && arg.end > arg.start ? arg : c.statement;
  c.b.report({ start: c.lineStart + at.start, end: c.lineStart + at.end }, code, message);
}

/** The text of an argument as it stands. */
function raw(c: DirectiveContext, arg: DirectiveArg): string {
  return c.b.text.slice(c.lineStart + arg.start, c.lineStart + arg.end);
}

function nameOf(c: DirectiveContext, arg: DirectiveArg | undefined): string | undefined {
  if (arg?.kind === 'string') return raw(c, arg).slice(1, -1);
  if (arg?.kind === 'expr' && typeof arg.value === 'object' && arg.value.kind === 'symbol')
    return arg.value.name;
  bad(c, arg, `${c.statement.name} needs a symbol's name here`, 'name-expected');
  return undefined;
}

function exprOf(c: DirectiveContext, arg: DirectiveArg | undefined): Expr | undefined {
  if (arg?.kind === 'expr') return arg.value;
  if (arg?.kind === 'string')
    return { kind: 'symbol', name: raw(c, arg).slice(1, -1), start: arg.start, end: arg.end };
  bad(
    c,
    arg,
    `${c.statement.name} needs an expression here${arg ? `, not \`${raw(c, arg)}\`` : ''}`,
    'bad-expression',
  );
  return undefined;
}

function numberOf(c: DirectiveContext, arg: DirectiveArg | undefined, what: string): bigint | undefined {
  const expr = exprOf(c, arg);
  return expr === undefined || !arg ? undefined : c.b.number(expr, whereOf(c, arg), what);
}

function noMoreThan(c: DirectiveContext, n: number): void {
  const extra = c.statement.args[n];
  if (extra)
    bad(
      c,
      extra,
      `${c.statement.name} takes ${n === 0 ? 'no argument' : `at most ${n} argument${n === 1 ? '' : 's'}`}`,
    );
}

// --- sections

directive('.text .data .bss .rodata', '%', 'continues in that section', (c) => {
  c.b.switchTo(c.b.sectionNamed(c.statement.name));
  noMoreThan(c, 0);
});

function section(c: DirectiveContext, push: boolean): void {
  const { b, statement } = c;
  const [nameArg, flagsArg, ...rest] = statement.args;
  if (!nameArg || nameArg.kind === 'empty') {
    bad(c, undefined, `${statement.name} needs a section's name`);
    return;
  }
  const name = nameArg.kind === 'string' ? raw(c, nameArg).slice(1, -1) : raw(c, nameArg).trim();
  let flags: number | undefined;
  let type: number | undefined;
  let unique: string | undefined;
  if (flagsArg?.kind === 'string') {
    const parsed = parseSectionFlags(raw(c, flagsArg).slice(1, -1));
    if (parsed.unknown)
      bad(c, flagsArg, `unknown section flag \`${parsed.unknown}\`; flags are letters of "awxMSGToRe"`);
    flags = parsed.flags;
  } else if (flagsArg) rest.unshift(flagsArg);
  for (const [i, arg] of rest.entries()) {
    const word = raw(c, arg);
    if (arg.kind === 'at') {
      type = sectionTypeByName(arg.name);
      if (type === undefined)
        bad(c, arg, `unknown section type @${arg.name}; use @progbits, @nobits or @note`);
    } else if (word === 'unique' || word === 'comdat') {
      if (word === 'unique') unique = `${name}\u0001${raw(c, rest[i + 1] ?? arg)}`;
    }
  }
  const group = flags !== undefined && flags & 0x200 ? rest.find((a) => a.kind !== 'at') : undefined;
  if (group) unique = `${name}\u0001group ${raw(c, group)}`;
  if (push) b.sectionStack.push(b.section);
  const target = b.sectionNamed(name, { type, flags, ...(unique ? { unique } : {}) });
  if (flags !== undefined && !target.flagsGiven) {
    target.flags = flags;
    target.flagsGiven = true;
  }
  b.switchTo(target);
}

directive('.section', '.section NAME[, "FLAGS"[, @TYPE]]', 'continues in the section NAME', (c) =>
  section(c, false),
);
directive('.pushsection', '.pushsection NAME[, "FLAGS"[, @TYPE]]', 'the same; .popsection returns', (c) =>
  section(c, true),
);
directive('.popsection', '.popsection', 'returns to the section before .pushsection', (c) => {
  const before = c.b.sectionStack.pop();
  if (before) c.b.switchTo(before);
  else bad(c, undefined, '.popsection without a .pushsection before it');
});
directive('.previous', '.previous', 'returns to the section before the last change', (c) => {
  const before = c.b.previousSections[0];
  if (before) c.b.switchTo(before);
  else bad(c, undefined, 'no section was left before this .previous');
});

// --- symbols

function forNames(c: DirectiveContext, apply: (name: string) => void): void {
  if (c.statement.args.length === 0)
    bad(c, undefined, `${c.statement.name} needs a symbol's name`, 'name-expected');
  for (const arg of c.statement.args) {
    const name = nameOf(c, arg);
    if (name !== undefined) apply(name);
  }
}

directive('.globl .global', '% NAME…', 'makes symbols visible to other objects', (c) =>
  forNames(c, (name) => {
    const sym = c.b.symbol(name);
    sym.declared = true;
    if (sym.binding !== 'weak') sym.binding = 'global';
  }),
);
directive('.extern', '.extern NAME…', 'says that symbols are defined in another object', (c) =>
  forNames(c, (name) => {
    c.b.symbol(name).declared = true;
  }),
);
directive('.weak', '.weak NAME…', 'makes symbols weak', (c) =>
  forNames(c, (name) => {
    const sym = c.b.symbol(name);
    sym.declared = true;
    sym.binding = 'weak';
  }),
);
directive('.local', '.local NAME…', 'keeps symbols to this object', (c) =>
  forNames(c, (name) => {
    c.b.symbol(name).binding = 'local';
  }),
);
for (const visibility of ['hidden', 'protected', 'internal'] as const) {
  directive(`.${visibility}`, '% NAME…', 'sets the visibility of symbols', (c) =>
    forNames(c, (name) => {
      c.b.symbol(name).visibility = visibility;
    }),
  );
}
const SYMBOL_TYPES: Readonly<Record<string, 'notype' | 'object' | 'func' | 'tls'>> = {
  function: 'func',
  object: 'object',
  notype: 'notype',
  common: 'object',
  tls_object: 'tls',
  gnu_unique_object: 'object',
  STT_FUNC: 'func',
  STT_OBJECT: 'object',
  STT_NOTYPE: 'notype',
};
directive('.type', '.type NAME, @function|@object', 'says what a symbol is', (c) => {
  const name = nameOf(c, c.statement.args[0]);
  const arg = c.statement.args[1];
  if (name === undefined) return;
  const word = arg?.kind === 'at' ? arg.name : arg ? raw(c, arg).replace(/^"|"$/g, '') : '';
  const type = SYMBOL_TYPES[word];
  if (!type) return bad(c, arg, `.type needs @function or @object, not \`${word}\``);
  c.b.symbol(name).type = type;
});
directive('.size', '.size NAME, EXPR', "sets a symbol's size in bytes", (c) => {
  const [nameArg, sizeArg] = c.statement.args;
  const name = nameOf(c, nameArg);
  const expr = exprOf(c, sizeArg);
  if (name === undefined || expr === undefined || !sizeArg) return;
  c.b.sizes.push({ sym: c.b.symbol(name), expr: c.b.bind(expr), where: whereOf(c, sizeArg) });
});

directive('.set .equ .equiv', '% NAME, EXPR', 'gives a constant or address a name', (c) => {
  const [nameArg, valueArg] = c.statement.args;
  const name = nameOf(c, nameArg);
  const expr = exprOf(c, valueArg);
  if (name === undefined || expr === undefined || !nameArg || !valueArg) return;
  assign(
    c.b,
    name,
    expr,
    { start: c.lineStart + nameArg.start, end: c.lineStart + nameArg.end },
    whereOf(c, valueArg),
  );
});

/** Gives `name` the value of `expr`, as `.set` and `=` do. */
export function assign(
  b: Builder,
  name: string,
  expr: Expr,
  range: { start: number; end: number },
  where: Where,
): void {
  const sym = b.symbol(name);
  if (sym.section !== UNDEFINED && !sym.assigned) {
    b.report(range, 'duplicate-symbol', `\`${name}\` is already defined as a label`);
    return;
  }
  const bound = b.bind(expr);
  const value = b.evaluate(bound, false) ?? b.evaluate(bound, true);
  if (value === undefined || typeof value === 'string') {
    b.report(b.rangeOf(where), 'bad-expression', value ?? 'the value is not known here');
    return;
  }
  if (value.minus || (value.plus && value.plus.section === UNDEFINED)) {
    b.report(
      b.rangeOf(where),
      'not-absolute',
      value.plus && !value.minus
        ? `\`${value.plus.name}\` is not defined before this line`
        : 'the value must be a number, a symbol, or the difference of two symbols of one section',
    );
    return;
  }
  sym.assigned = true;
  sym.range = range;
  if (value.plus) {
    sym.section = value.plus.section;
    if (value.addend === 0n) sym.alias = value.plus;
    sym.value = value.plus.value + value.addend;
    if (value.plus.type !== 'notype' && sym.type === 'notype') sym.type = value.plus.type;
  } else {
    sym.section = ABSOLUTE;
    sym.value = value.addend;
  }
}

function common(c: DirectiveContext, local: boolean): void {
  const [nameArg, sizeArg, alignArg] = c.statement.args;
  const name = nameOf(c, nameArg);
  const size = numberOf(c, sizeArg, 'the size');
  const align = alignArg ? numberOf(c, alignArg, 'the alignment') : 1n;
  if (name === undefined || size === undefined || align === undefined || !nameArg) return;
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

// --- data

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

/** More than this in one directive is a mistake, or an attack on memory. */
const MAX_FILL = 1 << 28;

function checkCount(c: DirectiveContext, arg: DirectiveArg | undefined, n: bigint): boolean {
  if (n >= 0n && n <= BigInt(MAX_FILL)) return true;
  bad(
    c,
    arg,
    n < 0n ? `a size cannot be negative: ${n}` : `${n} bytes are too many; at most ${MAX_FILL}`,
    'size-range',
  );
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
export function encodeLeb(value: bigint, signed: boolean, width: number): number[] {
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

// --- debug information

directive('.file', '.file [N] ["DIR"] "NAME"', 'names a source file', (c) => {
  const { b, statement } = c;
  const [first] = statement.args;
  if (first?.kind === 'string') {
    b.fromCompiler = true;
    b.sourceFile = new TextDecoder().decode(stringBytes(raw(c, first)).bytes);
    return;
  }
  if (first?.kind !== 'expr' || typeof first.value !== 'number')
    return bad(c, first, '.file needs a name: .file "prog.c"');
  const strings = statement.args
    .filter((a) => a.kind === 'string')
    .map((a) => new TextDecoder().decode(stringBytes(raw(c, a)).bytes));
  const [dir, name] = strings.length > 1 ? strings : [undefined, strings[0] ?? ''];
  const path = dir && !name!.startsWith('/') ? `${dir}/${name}` : name!;
  let index = b.files.indexOf(path, 1);
  if (index < 0) index = b.files.push(path) - 1;
  b.fileNumbers.set(first.value, index);
});
directive(
  '.loc',
  '.loc FILE LINE [COLUMN] …',
  'says which source line the next instruction comes from',
  (c) => {
    const [file, line, column] = c.statement.args;
    const number = (a: DirectiveArg | undefined) =>
      a?.kind === 'expr' && typeof a.value === 'number' ? a.value : undefined;
    const f = number(file);
    const l = number(line);
    if (f === undefined || l === undefined)
      return bad(c, c.statement, '.loc needs a file number and a line: .loc 1 10 3');
    c.b.pendingLoc = { file: c.b.fileNumbers.get(f) ?? 0, line: l, column: number(column) ?? 0 };
  },
);
directive(
  '.ident .addrsig .addrsig_sym .cg_profile .line .ln .version .weakref .symver .bundle_align_mode .end_data_region .lto_discard .pseudoprobe .stabs .stabn',
  '% …',
  'read and ignored',
  (c) => {
    if (c.statement.name !== '.line') c.b.fromCompiler = true;
  },
);

// --- this project's own

directive(
  '.program',
  '.program TYPE',
  'says the type of the program in this section: xdp, sched_cls, socket_filter, raw',
  (c) => {
    const arg = c.statement.args[0];
    const name = nameOf(c, arg);
    if (name === undefined) return;
    const known = PROG_TYPES.find(
      (t) => t === name.toLowerCase() || `bpf_prog_type_${t}` === name.toLowerCase(),
    );
    if (!known) {
      const near = suggest(name, PROG_TYPES);
      return bad(
        c,
        arg,
        `unknown program type \`${name}\`; ${near ? `did you mean \`${near}\`?` : `types are ${PROG_TYPES.join(', ')}`}`,
        'unknown-program-type',
      );
    }
    c.b.programTypes.push({ section: c.b.section, offset: c.b.section.size, type: known });
    noMoreThan(c, 1);
  },
);

const MAP_DEF_SIZE = 20;

directive('.map', '.map NAME, TYPE, KEY_SIZE, VALUE_SIZE, MAX_ENTRIES[, FLAGS]', 'defines a map', (c) => {
  const { b, statement } = c;
  const [nameArg, typeArg, keyArg, valueArg, maxArg, flagsArg] = statement.args;
  const name = nameOf(c, nameArg);
  if (name === undefined || !nameArg) return;
  if (statement.args.length < 5) {
    return bad(
      c,
      undefined,
      `.map needs five arguments: .map ${name}, hash, 4, 8, 1024 (name, type, key size, value size, entries)`,
    );
  }
  noMoreThan(c, 6);
  const typeName =
    typeArg?.kind === 'expr' && typeof typeArg.value === 'object' && typeArg.value.kind === 'symbol'
      ? typeArg.value.name
      : '';
  const type = mapTypeByName(typeName) ?? mapTypeByName(typeArg ? `${uapiNumber(c, typeArg)}` : '');
  if (!type) {
    const near = suggest(
      typeName,
      MAP_TYPES.map((t) => t.name),
    );
    return bad(
      c,
      typeArg,
      `unknown map type \`${typeArg ? raw(c, typeArg) : ''}\`; ${near ? `did you mean \`${near}\`?` : 'types are hash, array, prog_array …'}`,
      'unknown-map-type',
    );
  }
  const sizes: number[] = [];
  for (const [arg, what] of [
    [keyArg, 'the key size'],
    [valueArg, 'the value size'],
    [maxArg, 'the number of entries'],
  ] as const) {
    const n = numberOf(c, arg, what);
    if (n === undefined) return;
    if (n < 0n || n > 0xffffffffn)
      return bad(c, arg, `${what} must be 0 to 4294967295, not ${n}`, 'size-range');
    sizes.push(Number(n));
  }
  const flags = flagsArg ? numberOf(c, flagsArg, 'the flags') : 0n;
  if (flags === undefined) return;
  const sym = b.symbol(name);
  const range = { start: c.lineStart + nameArg.start, end: c.lineStart + nameArg.end };
  if (sym.section !== UNDEFINED) return b.report(range, 'duplicate-symbol', `\`${name}\` is already defined`);
  const section = b.sectionNamed('maps');
  if (section.align < 4) section.align = 4;
  const at = section.reserve(MAP_DEF_SIZE);
  for (const [i, v] of [type.id, ...sizes, Number(BigInt.asUintN(32, flags))].entries())
    section.view.setUint32(at + 4 * i, v, true);
  Object.assign(sym, {
    section: section.index,
    value: BigInt(at),
    size: BigInt(MAP_DEF_SIZE),
    type: 'object',
    map: true,
    range,
    binding: 'global',
  });
  b.maps.push({
    name,
    type: type.name,
    keySize: sizes[0]!,
    valueSize: sizes[1]!,
    maxEntries: sizes[2]!,
    flags: Number(BigInt.asUintN(32, flags)),
  });
});

directive(
  '.map_entry',
  '.map_entry MAP, KEY, VALUE',
  'an element that the map holds before the program runs; numbers, little endian, in the sizes of the map',
  (c) => {
    const { b, statement } = c;
    const [nameArg, keyArg, valueArg] = statement.args;
    const name = nameOf(c, nameArg);
    if (name === undefined) return;
    noMoreThan(c, 3);
    const def = b.maps.find((map) => map.name === name);
    if (!def) {
      const near = suggest(
        name,
        b.maps.map((map) => map.name),
      );
      const hint = near ? `did you mean \`${near}\`?` : 'define it with .map before this line';
      return bad(c, nameArg, `there is no map \`${name}\`; ${hint}`, 'unknown-map');
    }
    const index = numberOf(c, keyArg, 'the key');
    const key = index === undefined ? undefined : elementBytes(c, keyArg, index, def.keySize, 'the key');
    if (index === undefined || !key) return;
    if (def.type.endsWith('array') && BigInt.asUintN(32, index) >= BigInt(def.maxEntries)) {
      const last = def.maxEntries - 1;
      return bad(c, keyArg, `\`${name}\` has elements 0 to ${last}, not ${index}`, 'key-range');
    }
    const value = entryValue(c, valueArg, def);
    if (!value) return;
    const same = (other: Uint8Array): boolean => other.every((byte, i) => byte === key[i]);
    const others = b.mapEntries.filter((entry) => entry.map === name && !same(entry.key));
    if (others.length >= def.maxEntries) {
      return bad(c, keyArg, `\`${name}\` has room for ${def.maxEntries} elements`, 'too-many-entries');
    }
    b.mapEntries.push({ map: name, key, value });
  },
);

type EntryValue = Builder['mapEntries'][number]['value'];

function entryValue(
  c: DirectiveContext,
  arg: DirectiveArg | undefined,
  def: Builder['maps'][number],
): EntryValue | undefined {
  if (def.type === 'prog_array') {
    const program = nameOf(c, arg);
    if (program === undefined || !arg) return undefined;
    return { program, range: { start: c.lineStart + arg.start, end: c.lineStart + arg.end } };
  }
  const number = numberOf(c, arg, 'the value');
  return number === undefined ? undefined : elementBytes(c, arg, number, def.valueSize, 'the value');
}

/** A number as `size` bytes; sizes above 8 are filled up with its sign. */
function elementBytes(
  c: DirectiveContext,
  arg: DirectiveArg | undefined,
  value: bigint,
  size: number,
  what: string,
): Uint8Array | undefined {
  if (size < 8 && !fitsData(value, size)) {
    bad(c, arg, `${what} ${dataRangeMessage(value, size)}`, 'size-range');
    return undefined;
  }
  const bytes = new Uint8Array(size);
  for (let i = 0, left = value; i < size; i++, left >>= 8n) bytes[i] = Number(left & 0xffn);
  return bytes;
}

function uapiNumber(c: DirectiveContext, arg: DirectiveArg): bigint | undefined {
  if (arg.kind !== 'expr') return undefined;
  if (typeof arg.value === 'object' && arg.value.kind === 'symbol') {
    const { name } = arg.value;
    const sym = c.b.symbols.get(name);
    return sym?.section === ABSOLUTE ? sym.value : uapiConstant(name)?.value;
  }
  const v = c.b.evaluate(c.b.bind(arg.value), true);
  return typeof v === 'object' && !v.plus && !v.minus ? v.addend : undefined;
}
