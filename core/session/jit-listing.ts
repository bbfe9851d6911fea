import { lastUpTo } from '../bytes/ascending.ts';
import { WIDE_OPCODE } from '../isa/decode.ts';
import { INSN_SIZE, type InsnIndex } from '../isa/insn.ts';
import type { JitForm } from '../protocol/jit.ts';
import type { DebugProgram, Loaded } from './loaded.ts';
import type { NativeCode, NativeCodeResult } from './native-code.ts';
import { sourceFiles, sourcePlace, textIndex } from './program-text.ts';

/** Instructions of a program, one a row, with a heading in front of each function. */
export interface BpfRows {
  readonly form: JitForm;
  readonly loaded: Loaded;
  readonly program: DebugProgram;
  /** By row: slot (as loaded or rewritten, by `form`), or −1 − n for the heading of function n. */
  readonly slotOfRow: Int32Array;
  /** By slot of the form; both slots of a wide instruction have the same row. */
  readonly rowOfSlot: Int32Array;
  /** Sources that `file` counts in. */
  readonly files: readonly string[];
  /** By row: −1 unknown or heading. */
  readonly file: Int32Array;
  /** By row, from 1: 0 unknown or heading. */
  readonly line: Int32Array;
}

/** Native code, one instruction a row, with a heading in front of each function, and the BPF rows it belongs to. */
export interface NativeViewRows {
  readonly code: NativeCode;
  readonly count: number;
  /** Of all code. */
  readonly bytes: number;
  /** Rows that are headings, ascending, by function. */
  readonly headings: Uint32Array;
  /** First row of each run of rows that belong to the same BPF row. */
  readonly runStart: Uint32Array;
  /** By run: −1 none. */
  readonly runRow: Int32Array;
  /** By BPF row: bytes of its code. */
  readonly size: Uint32Array;
  /** By BPF row: its first native row in the order of addresses; −1 none. */
  readonly firstRow: Int32Array;
}

/** A listing: what the JIT view's columns show, but for the source. */
export interface Listing {
  readonly id: string;
  readonly bpf: BpfRows;
  readonly native: NativeViewRows | { readonly message: string };
  /** The native code is what is executed, not made for show. */
  readonly isExecuted: boolean;
  /** The program that runs: `bpf` may be another one, blinded for show. Breakpoints lie in this one. */
  readonly running: { readonly loaded: Loaded; readonly program: DebugProgram };
}

/** The rows of a program in one of its forms; sources included. A few bytes a slot. */
export function bpfRows(loaded: Loaded, program: DebugProgram, form: JitForm): BpfRows {
  const { slotOfRow, rowOfSlot } = form === 'loaded' ? loadedIndex(program) : xlatedIndex(program);
  const { classic } = loaded;
  const files = classic?.view === 'ebpf' ? [classic.text.file] : sourceFiles(loaded, program);
  const file = new Int32Array(slotOfRow.length).fill(-1);
  const line = new Int32Array(slotOfRow.length);
  for (let row = 0; row < slotOfRow.length; row++) {
    const slot = slotOfRow[row] ?? -1;
    if (slot < 0) continue;
    const place = sourcePlace(loaded, program, files, originalOf(program, form, slot));
    if (place === undefined) continue;
    file[row] = place.file;
    line[row] = place.line;
  }
  return { form, loaded, program, slotOfRow, rowOfSlot, files, file, line };
}

/** The instruction as loaded that a slot of the form stands for. */
export function originalOf({ prog }: DebugProgram, form: JitForm, slot: InsnIndex): InsnIndex {
  return form === 'loaded' ? slot : (prog.origIdx[slot] ?? 0);
}

/** The row that a slot of the rewritten program belongs to; −1: none. */
export function rowOfXlated({ form, program, rowOfSlot }: BpfRows, slot: InsnIndex): number {
  const own = form === 'loaded' ? program.prog.origIdx[slot] : slot;
  return own === undefined || slot < 0 ? -1 : (rowOfSlot[own] ?? -1);
}

function xlatedIndex(program: DebugProgram) {
  const { slotOfLine, lineOfSlot } = textIndex(program);
  return { slotOfRow: slotOfLine, rowOfSlot: lineOfSlot };
}

function loadedIndex({ prog, attr }: DebugProgram) {
  const { insns } = attr;
  const n = insns.length / INSN_SIZE;
  const heading = new Map(prog.subprogs.map(({ start }, number) => [prog.origIdx[start] ?? 0, number]));
  const slotOfRow = new Int32Array(n + prog.subprogs.length);
  const rowOfSlot = new Int32Array(n);
  let row = 0;
  for (let slot = 0; slot < n; slot++) {
    const number = heading.get(slot);
    if (number !== undefined) slotOfRow[row++] = -1 - number;
    rowOfSlot[slot] = row;
    const isWide = insns[slot * INSN_SIZE] === WIDE_OPCODE;
    slotOfRow[row] = slot;
    if (isWide && slot + 1 < n) rowOfSlot[++slot] = row;
    row++;
  }
  return { slotOfRow: slotOfRow.subarray(0, row), rowOfSlot };
}

/** Native code beside BPF rows; or the line that says why there is none. */
export function nativeViewRows(
  bpf: BpfRows,
  code: NativeCodeResult,
): NativeViewRows | { readonly message: string } {
  if ('message' in code) return code;
  const { funcs, rows } = code;
  const count = rows.count + funcs.length;
  const headings = new Uint32Array(funcs.length);
  const runStart = new Uint32Array(count);
  const runRow = new Int32Array(count);
  const size = new Uint32Array(bpf.slotOfRow.length);
  const firstRow = new Int32Array(bpf.slotOfRow.length).fill(-1);
  let nRuns = 0;
  let bytes = 0;
  let func = 0;
  const begin = (row: number, belongs: number): void => {
    if (nRuns > 0 && runRow[nRuns - 1] === belongs) return;
    runStart[nRuns] = row;
    runRow[nRuns++] = belongs;
  };
  for (let at = 0; at < rows.count; at++) {
    const offset = rows.offset[at] ?? 0;
    while (func < funcs.length && offset >= Number((funcs[func]?.address ?? 0n) - code.address)) {
      headings[func] = at + func;
      begin(at + func, -1);
      func++;
    }
    const belongs = rowOfXlated(bpf, rows.slot[at] ?? -1);
    begin(at + func, belongs);
    const length = rows.length[at] ?? 0;
    bytes += length;
    if (belongs < 0) continue;
    size[belongs] = (size[belongs] ?? 0) + length;
    if ((firstRow[belongs] ?? -1) < 0) firstRow[belongs] = at + func;
  }
  return {
    code,
    count: rows.count + func,
    bytes,
    headings: headings.slice(0, func),
    runStart: runStart.slice(0, nRuns),
    runRow: runRow.slice(0, nRuns),
    size,
    firstRow,
  };
}

/** What a row of the native column is: a function's heading, or a row of the code. */
export function nativeRowAt(
  { headings }: NativeViewRows,
  row: number,
): { readonly func: number } | { readonly codeRow: number } {
  const before = lastUpTo(headings.length, row, (at) => headings[at] ?? 0);
  return before >= 0 && headings[before] === row ? { func: before } : { codeRow: row - before - 1 };
}

/** Row of the native column for a row of the code. */
export function nativeRowOf({ headings }: NativeViewRows, codeRow: number): number {
  let row = codeRow;
  for (const heading of headings) {
    if (heading > row) break;
    row++;
  }
  return row;
}

/** The BPF row that a native row belongs to; −1: none. */
export function bpfRowOfNative({ runStart, runRow }: NativeViewRows, row: number): number {
  return runRow[lastUpTo(runStart.length, row, (run) => runStart[run] ?? 0)] ?? -1;
}
