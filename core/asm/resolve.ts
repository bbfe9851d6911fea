import { UAPI_CONSTANTS } from '../isa/constants.ts';
import { HELPERS, helperByName } from '../isa/helpers.ts';
import {
  R_BPF_64_32,
  R_BPF_64_64,
  R_BPF_64_ABS32,
  R_BPF_64_ABS64,
  R_BPF_64_NODYLD32,
  SHF_ALLOC,
  SHF_EXECINSTR,
  SHF_MERGE,
  SHF_WRITE,
} from '../object/elf-constants.ts';
import { type Builder, type Fixup, localNumber, type Value } from './builder.ts';
import { rowByIndex } from './grammar.ts';
import { suggest } from './suggest.ts';
import { COMMON, type Sym, UNDEFINED } from './symbols.ts';

/** A relocation before symbols have numbers. */
export interface PendingReloc {
  readonly section: number;
  readonly offset: number;
  readonly type: number;
  /** The symbol, or the section whose start stands for it. */
  readonly target: Sym | number;
  readonly addend: number;
}

/** Writes all fixups; what another object or section decides becomes a relocation. */
export function resolveFixups(b: Builder): PendingReloc[] {
  const relocs: PendingReloc[] = [];
  for (const fixup of b.fixups) resolve(b, fixup, relocs);
  return relocs;
}

function resolve(b: Builder, fixup: Fixup, relocs: PendingReloc[]): void {
  const { expr } = fixup;
  const name = typeof expr === 'object' && expr.kind === 'symbol' ? expr.name : undefined;
  if (fixup.kind === 'call' && name !== undefined && !known(b, name)) {
    const helper = helperByName(name);
    if (helper) {
      setImm(fixup, helper.id);
      return;
    }
  }
  const value = b.evaluate(expr, true);
  if (value === undefined || typeof value === 'string') {
    b.report(b.rangeOf(fixup.where), 'bad-expression', value ?? 'this expression has no value');
    return;
  }
  if (value.plus) value.plus.used = true;
  if (value.minus) value.minus.used = true;
  if (value.minus) {
    b.report(
      b.rangeOf(fixup.where),
      'bad-difference',
      `the difference of ${shown(value.plus)} and ${shown(value.minus)} is not known: both must be in one section`,
    );
    return;
  }
  if (value.plus && value.plus.section === UNDEFINED && !acceptUndefined(b, fixup, value.plus)) return;
  switch (fixup.kind) {
    case 'jump16':
    case 'jump32':
      jump(b, fixup, value);
      break;
    case 'call':
    case 'func':
      call(b, fixup, value, relocs);
      break;
    case 'imm64':
      wide(b, fixup, value, relocs);
      break;
    case 'map':
      mapNumber(b, fixup, value);
      break;
    case 'imm32':
    case 'next_imm':
    case 'off16':
      field(b, fixup, value);
      break;
    default:
      data(b, fixup, value, relocs);
  }
}

function known(b: Builder, name: string): boolean {
  const sym = b.symbols.get(name);
  return sym !== undefined && (sym.section !== UNDEFINED || sym.declared);
}

function shown(sym: Sym | undefined): string {
  if (!sym) return 'a number';
  return sym.name.charCodeAt(0) === 1 ? 'a local label' : `\`${sym.name}\``;
}

/** Whether an undefined symbol may be left to the linker here; reports it when not. */
function acceptUndefined(b: Builder, fixup: Fixup, sym: Sym): boolean {
  const { kind } = fixup;
  const range = b.rangeOf(fixup.where);
  const local = localNumber(sym.name);
  if (local !== undefined) {
    b.report(range, 'unknown-label', `there is no label \`${local}:\` in that direction`);
    return false;
  }
  if (/^[rw]\d+$/.test(sym.name) && kind !== 'data4' && kind !== 'data8') {
    const message = `there is no register ${sym.name}; registers are r0 to r10 and w0 to w10`;
    b.report(range, 'unknown-register', message);
    return false;
  }
  const linkable =
    kind === 'call' || kind === 'imm64' || kind === 'data4' || kind === 'data8' || kind === 'func';
  if (linkable && (sym.declared || b.fromCompiler)) return true;
  // the names are compared one by one: not for thousands of errors
  const near = b.nSuggestions++ < MAX_SUGGESTIONS ? nearName(b, kind, sym.name) : undefined;
  const isJump = kind === 'jump16' || kind === 'jump32';
  const what = isJump ? 'label' : kind === 'call' || kind === 'func' ? 'function or helper' : 'symbol';
  const hint = near
    ? `; did you mean \`${near}\`?`
    : linkable
      ? `; declare it with \`.extern ${sym.name}\` when another object defines it`
      : '';
  b.report(range, `unknown-${what.split(' ')[0]}`, `unknown ${what} \`${sym.name}\`${hint}`, {
    ...(near ? { fix: { title: `Change to ${near}`, newText: near } } : {}),
  });
  return false;
}

/** How many unknown names get a "did you mean". */
export const MAX_SUGGESTIONS = 100;

function nearName(b: Builder, kind: Fixup['kind'], name: string): string | undefined {
  const names = [...b.symbols.values()]
    .filter((s) => s.section !== UNDEFINED && s.name.charCodeAt(0) !== 1)
    .map((s) => s.name);
  if (kind === 'jump16' || kind === 'jump32') return suggest(name, names);
  if (kind !== 'call' && kind !== 'func')
    return suggest(name, [...names, ...UAPI_CONSTANTS.map((c) => c.name)]);
  const helpers = HELPERS.map((h) => h.name);
  return (
    helperByName(`bpf_${name}`)?.name ??
    suggest(name, [...names, ...helpers]) ??
    suggest(`bpf_${name}`, helpers)
  );
}

function jump(b: Builder, fixup: Fixup, value: Value): void {
  const wide = fixup.kind === 'jump32';
  let slots: bigint;
  const { plus } = value;
  if (plus) {
    if (plus.section !== fixup.section.index) {
      b.report(
        b.rangeOf(fixup.where),
        'jump-to-other-section',
        `${shown(plus)} is in section ${b.sections[plus.section]?.name ?? 'another'}; a jump stays in its section (use \`call\`)`,
      );
      return;
    }
    const bytes = plus.value + value.addend - BigInt(fixup.offset) - 8n;
    if (bytes % 8n !== 0n) {
      b.report(
        b.rangeOf(fixup.where),
        'misaligned-target',
        `${shown(plus)} is not at the start of an instruction`,
      );
      return;
    }
    slots = bytes / 8n;
  } else slots = value.addend;
  const limit = wide ? 1n << 31n : 1n << 15n;
  if (slots < -limit || slots >= limit) {
    b.report(
      b.rangeOf(fixup.where),
      'jump-range',
      wide
        ? `the target is ${slots} instructions away; ${-limit} to ${limit - 1n} fit in 32 bits`
        : `the target is ${slots} instructions away; only ${-limit} to ${limit - 1n} fit in 16 bits; jump with \`gotol\``,
    );
    return;
  }
  if (wide) setImm(fixup, Number(slots));
  else fixup.section.view.setInt16(fixup.offset + 2, Number(slots), true);
}

function setImm(fixup: Fixup, imm: number): void {
  fixup.section.view.setInt32(fixup.offset + 4, imm, true);
}

function setSrc(fixup: Fixup, src: number): void {
  const { view } = fixup.section;
  view.setUint8(fixup.offset + 1, (view.getUint8(fixup.offset + 1) & 15) | (src << 4));
}

const BPF_PSEUDO_CALL = 1;

function call(b: Builder, fixup: Fixup, value: Value, relocs: PendingReloc[]): void {
  const { plus } = value;
  if (!plus) {
    field(b, { ...fixup, kind: 'imm32' }, value);
    return;
  }
  const isCall = fixup.kind === 'call';
  if (isCall) setSrc(fixup, BPF_PSEUDO_CALL);
  if (plus.section >= 0) {
    const section = b.sections[plus.section]!;
    if (!section.hasInsns) {
      b.report(
        b.rangeOf(fixup.where),
        'call-of-data',
        plus.map
          ? `${shown(plus)} is a map, not a function`
          : `${shown(plus)} is data in section ${section.name}, not a function`,
      );
      return;
    }
  }
  // loaders find what other sections call by its being a function
  if (
    !b.fromCompiler &&
    plus.type === 'notype' &&
    plus.section >= 0 &&
    plus.section !== fixup.section.index
  ) {
    plus.type = 'func';
  }
  const bytes = plus.value + value.addend;
  if (plus.section === fixup.section.index && (isLocal(plus) || !isCall)) {
    const distance = bytes - BigInt(fixup.offset) - 8n;
    if (distance % 8n !== 0n) {
      b.report(
        b.rangeOf(fixup.where),
        'misaligned-target',
        `${shown(plus)} is not at the start of an instruction`,
      );
      return;
    }
    setImm(fixup, Number(distance / 8n));
    return;
  }
  if (plus.section >= 0 && isLocal(plus)) {
    setImm(fixup, Number(bytes / 8n) - 1);
    relocs.push({
      section: fixup.section.index,
      offset: fixup.offset,
      type: R_BPF_64_32,
      target: plus.section,
      addend: Number(bytes),
    });
  } else {
    setImm(fixup, Number(value.addend / 8n) - 1);
    relocs.push({
      section: fixup.section.index,
      offset: fixup.offset,
      type: R_BPF_64_32,
      target: plus,
      addend: Number(value.addend),
    });
  }
}

function isLocal(sym: Sym): boolean {
  return (
    sym.section !== UNDEFINED &&
    sym.section !== COMMON &&
    (sym.binding === undefined || sym.binding === 'local')
  );
}

function wide(b: Builder, fixup: Fixup, value: Value, relocs: PendingReloc[]): void {
  const { view } = fixup.section;
  const { plus } = value;
  const put = (v: bigint) => {
    view.setInt32(fixup.offset + 4, Number(BigInt.asIntN(32, v)), true);
    view.setInt32(fixup.offset + 12, Number(BigInt.asIntN(32, v >> 32n)), true);
  };
  if (!plus) {
    if (value.addend < -(1n << 63n) || value.addend >= 1n << 64n) {
      b.report(
        b.rangeOf(fixup.where),
        'immediate-range',
        `immediate ${hex(value.addend)} does not fit in 64 bits`,
      );
      return;
    }
    put(value.addend);
    return;
  }
  const { target, addend } = relocTarget(b, plus, value.addend);
  view.setInt32(fixup.offset + 4, Number(BigInt.asIntN(32, addend)), true);
  relocs.push({
    section: fixup.section.index,
    offset: fixup.offset,
    type: R_BPF_64_64,
    target,
    addend: Number(addend),
  });
}

/**
 * What a relocation names: a local symbol is written as its section and offset, save in mergeable
 * sections with an addend, where only the symbol itself survives merging.
 */
function relocTarget(b: Builder, sym: Sym, addend: bigint): { target: Sym | number; addend: bigint } {
  if (!isLocal(sym) || sym.section < 0) return { target: sym, addend };
  const merges = (b.sections[sym.section]!.flags & SHF_MERGE) !== 0;
  if (merges && addend !== 0n && sym.name.charCodeAt(0) !== 1) return { target: sym, addend };
  return { target: sym.section, addend: sym.value + addend };
}

function mapNumber(b: Builder, fixup: Fixup, value: Value): void {
  const { plus } = value;
  if (!plus) {
    field(b, { ...fixup, kind: 'imm32' }, value);
    return;
  }
  const index = b.mapIndex.get(plus.name);
  if (index === undefined) {
    b.report(
      b.rangeOf(fixup.where),
      'not-a-map',
      `${shown(plus)} is not a map; define it with \`.map ${plus.name}, hash, 4, 8, 1024\``,
    );
    return;
  }
  setImm(fixup, index);
}

function field(b: Builder, fixup: Fixup, value: Value): void {
  const { view } = fixup.section;
  const v = value.addend;
  if (value.plus) {
    const what = fixup.kind === 'off16' ? 'an offset' : 'an immediate';
    const { statement } = fixup.where;
    const isMove = statement && rowByIndex(statement.terminal.rowIndex).id === 'mov64_imm';
    b.report(
      b.rangeOf(fixup.where),
      'address-as-number',
      `${shown(value.plus)} is an address, which ${what} cannot hold${isMove ? `; load it with \`r${statement.dst} = ${value.plus.name} ll\`` : ''}`,
    );
    return;
  }
  if (fixup.kind === 'off16') {
    if (v < -0x8000n || v > 0x7fffn) {
      b.report(
        b.rangeOf(fixup.where),
        'offset-range',
        `offset ${v} does not fit in 16 bits: -32768 to 32767; add it to the register first`,
      );
      return;
    }
    view.setInt16(fixup.offset + 2, Number(v), true);
    return;
  }
  if (v < -(1n << 31n) || v >= 1n << 32n) {
    const { statement } = fixup.where;
    const isMove = statement && rowByIndex(statement.terminal.rowIndex).id === 'mov64_imm';
    const gnu = statement && (statement.terminal.dialect & 1) === 0;
    const dst = statement?.dst ?? 0;
    const load = gnu ? `lddw %r${dst}, ${hex(v)}` : `r${dst} = ${hex(v)} ll`;
    const range = b.rangeOf(fixup.where);
    b.report(
      range,
      'immediate-range',
      statement?.terminal.exprs[0] === 'helper'
        ? `${hex(v)} is no helper's number: it does not fit in 32 bits`
        : isMove
          ? `immediate ${hex(v)} does not fit in 32 bits; use a 64-bit load: ${load}`
          : `immediate ${hex(v)} does not fit in 32 bits; load it into a register first: ${gnu ? `lddw %r0, ${hex(v)}` : `r0 = ${hex(v)} ll`}`,
      isMove
        ? {
            fix: {
              title: `Use a 64-bit load`,
              newText: load,
              range: {
                start: fixup.where.lineStart + statement.start,
                end: fixup.where.lineStart + statement.end,
              },
            },
          }
        : {},
    );
    return;
  }
  warnSignExtension(b, fixup, v);
  const imm = Number(BigInt.asIntN(32, v));
  if (fixup.kind === 'next_imm') view.setInt32(fixup.offset + 12, imm, true);
  else setImm(fixup, imm);
}

/** 0x80000000 and above mean something else to a 64-bit operation than what is written. */
function warnSignExtension(b: Builder, fixup: Fixup, v: bigint): void {
  const { statement } = fixup.where;
  if (!statement || v < 1n << 31n || fixup.kind !== 'imm32') return;
  const { row } = statement.terminal;
  const cls = row.opcode & 7;
  if ((cls !== 7 && cls !== 5) || row.imm !== 's32') return;
  b.report(
    b.rangeOf(fixup.where),
    'immediate-sign-extended',
    `a 64-bit operation sign-extends its immediate: ${hex(v)} counts as ${hex(BigInt.asUintN(64, BigInt.asIntN(32, v)))}`,
    { severity: 'warning' },
  );
}

const DATA_SIZE: Readonly<Record<string, number>> = { data1: 1, data2: 2, data4: 4, data8: 8 };

function data(b: Builder, fixup: Fixup, value: Value, relocs: PendingReloc[]): void {
  const size = DATA_SIZE[fixup.kind]!;
  const { view } = fixup.section;
  let v = value.addend;
  if (value.plus) {
    if (size < 4) {
      b.report(
        b.rangeOf(fixup.where),
        'address-as-number',
        `${shown(value.plus)} is an address, which needs 4 or 8 bytes, not ${size}`,
      );
      return;
    }
    const { target, addend } = relocTarget(b, value.plus, v);
    v = addend;
    const type = size === 8 ? R_BPF_64_ABS64 : relocOfWord(b, value.plus);
    relocs.push({ section: fixup.section.index, offset: fixup.offset, type, target, addend: Number(addend) });
  } else if (!fitsData(v, size)) {
    b.report(b.rangeOf(fixup.where), 'data-range', dataRangeMessage(v, size));
    return;
  }
  if (size === 8) view.setBigInt64(fixup.offset, BigInt.asIntN(64, v), true);
  else if (size === 4) view.setInt32(fixup.offset, Number(BigInt.asIntN(32, v)), true);
  else if (size === 2) view.setInt16(fixup.offset, Number(BigInt.asIntN(16, v)), true);
  else view.setInt8(fixup.offset, Number(BigInt.asIntN(8, v)));
}

/** Whether `value` can be written in `size` bytes, signed or unsigned. */
export function fitsData(value: bigint, size: number): boolean {
  const bits = BigInt(size * 8);
  return value >= -(1n << (bits - 1n)) && value < 1n << bits;
}

/** Says that it cannot. */
export function dataRangeMessage(value: bigint, size: number): string {
  return `${value} does not fit in ${size === 1 ? 'a byte' : `${size} bytes`}`;
}

/** 32-bit words that refer to code or writable data (.BTF, .BTF.ext) have a type of their own. */
function relocOfWord(b: Builder, sym: Sym): number {
  const section = b.sections[sym.section];
  if (!section) return R_BPF_64_ABS32;
  const alloc = (section.flags & SHF_ALLOC) !== 0;
  return alloc && (section.flags & (SHF_WRITE | SHF_EXECINSTR)) !== 0 ? R_BPF_64_NODYLD32 : R_BPF_64_ABS32;
}

function hex(v: bigint): string {
  return v < 0n ? `-0x${(-v).toString(16)}` : `0x${v.toString(16)}`;
}
