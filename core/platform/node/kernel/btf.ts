import { INSN_SIZE } from '../../../isa/insn.ts';
import type { FuncInfo, LineInfo } from '../../../object/object.ts';

/**
 * The least BTF that names functions and carries line info (Documentation/bpf/btf.rst): one `int`, one prototype
 * `int (void)`, one function type a function, and the string table. Every function returns `int`, without which the
 * kernel allows neither LD_ABS nor tail calls in subprograms.
 */
export interface ProgBtf {
  /** What BPF_BTF_LOAD is given. */
  readonly btf: Uint8Array<ArrayBuffer>;
  /** `struct bpf_func_info`, 8 bytes a function. */
  readonly funcInfo: Uint8Array<ArrayBuffer>;
  /** `struct bpf_line_info`, 16 bytes a line; empty without line info. */
  readonly lineInfo: Uint8Array<ArrayBuffer>;
}

/** Bytes of `struct bpf_func_info` and `struct bpf_line_info`. */
export const FUNC_INFO_SIZE = 8;
export const LINE_INFO_SIZE = 16;

const BTF_MAGIC = 0xeb9f;
const HEADER_SIZE = 24;
const KIND_INT = 1;
const KIND_FUNC = 12;
const KIND_FUNC_PROTO = 13;
const BTF_INT_SIGNED = 1;
/** Linkage of a function, in `vlen`. */
const BTF_FUNC_STATIC = 0;
const BTF_FUNC_GLOBAL = 1;
const INT_TYPE = 1;
const PROTO_TYPE = 2;
const FIRST_FUNC_TYPE = 3;
/** A column has 10 bits in `line_col`, a line 22. */
const MAX_COLUMN = 0x3ff;
const MAX_LINE = 0x3fffff;

/** What describes a program beside its instructions. */
export interface ProgText {
  readonly insns: Uint8Array;
  /** First slots of all functions, ascending, 0 first. */
  readonly starts: readonly number[];
  readonly funcs: readonly FuncInfo[];
  readonly lineInfo: readonly LineInfo[];
  readonly files: readonly string[];
  /** The text of a line, shown by `bpftool prog dump … linum`; empty when not told. */
  readonly lineText?: (info: LineInfo) => string;
  /** Gives functions that are global their linkage; without it all are static. */
  readonly verifiedApart?: boolean;
}

/** BTF, func info and line info of a program. */
export function progBtf(text: ProgText): ProgBtf {
  const strings = new StringTable();
  const types: number[][] = [
    [strings.offsetOf('int'), KIND_INT << 24, 4, (BTF_INT_SIGNED << 24) | 32],
    [0, KIND_FUNC_PROTO << 24, INT_TYPE],
  ];
  const funcInfo: number[] = [];
  for (const [index, start] of text.starts.entries()) {
    const func = text.funcs.find(({ insnOff }) => insnOff === start);
    const linkage = text.verifiedApart && func?.isGlobal ? BTF_FUNC_GLOBAL : BTF_FUNC_STATIC;
    const name = identifier(func?.name ?? `func_${index}`);
    types.push([strings.offsetOf(name), (KIND_FUNC << 24) | linkage, PROTO_TYPE]);
    funcInfo.push(start, FIRST_FUNC_TYPE + index);
  }
  const lineInfo = wholeLineInfo(text).flatMap((info) => [
    info.insnOff,
    strings.offsetOf(text.files[info.file] ?? ''),
    strings.offsetOf(text.lineText?.(info) ?? ''),
    (Math.min(info.line, MAX_LINE) << 10) | Math.min(info.column, MAX_COLUMN),
  ]);
  return {
    btf: btfBytes(words(types.flat()), strings.bytes()),
    funcInfo: words(funcInfo),
    lineInfo: words(lineInfo),
  };
}

/**
 * Line info that the kernel accepts: ascending, none at the second slot of a wide instruction, and one at the start
 * of every function, which goes on with the line before it where the source has none.
 */
function wholeLineInfo({ insns, starts, lineInfo }: ProgText): LineInfo[] {
  if (lineInfo.length === 0) return [];
  const bySlot = new Map<number, LineInfo>();
  for (const info of lineInfo) {
    if (insns[info.insnOff * INSN_SIZE] !== 0) bySlot.set(info.insnOff, info);
  }
  const sorted = [...bySlot.values()].sort((a, b) => a.insnOff - b.insnOff);
  for (const start of starts) {
    if (bySlot.has(start)) continue;
    const before = sorted.findLast(({ insnOff }) => insnOff <= start) ?? sorted[0];
    if (before !== undefined) bySlot.set(start, { ...before, insnOff: start });
  }
  return [...bySlot.values()].sort((a, b) => a.insnOff - b.insnOff);
}

class StringTable {
  readonly #offsets = new Map<string, number>([['', 0]]);
  readonly #parts: Uint8Array[] = [Uint8Array.of(0)];
  #size = 1;

  offsetOf(text: string): number {
    const clean = text.replaceAll('\0', ' ');
    const known = this.#offsets.get(clean);
    if (known !== undefined) return known;
    const bytes = new TextEncoder().encode(`${clean}\0`);
    const offset = this.#size;
    this.#parts.push(bytes);
    this.#size += bytes.length;
    this.#offsets.set(clean, offset);
    return offset;
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.#parts);
  }
}

function btfBytes(types: Uint8Array, strings: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEADER_SIZE + types.length + strings.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, BTF_MAGIC, true);
  view.setUint8(2, 1);
  for (const [index, word] of [HEADER_SIZE, 0, types.length, types.length, strings.length].entries()) {
    view.setUint32(4 + 4 * index, word, true);
  }
  bytes.set(types, HEADER_SIZE);
  bytes.set(strings, HEADER_SIZE + types.length);
  return bytes;
}

/** Little-endian words: the bridge's architectures are all little endian. */
function words(values: readonly number[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [index, value] of values.entries()) view.setUint32(4 * index, value, true);
  return bytes;
}

/** `name` as BTF allows it: a C identifier of at most 127 characters. */
function identifier(name: string): string {
  return name
    .replace(/\W/g, '_')
    .replace(/^(?=\d|$)/, '_')
    .slice(0, 127);
}
