import { lastUpTo } from '../bytes/ascending.ts';
import { type ClassicAttach, CONVERTED, type Converted, scratchOffset } from '../cbpf/convert.ts';
import { extensionAt } from '../cbpf/extensions.ts';
import { listingLine } from '../cbpf/print.ts';
import { type ClassicProgram, filtersOf } from '../cbpf/program.ts';
import { seccompActionText } from '../cbpf/seccomp.ts';
import { type SeccompState, seccompFlow, seccompNotes } from '../cbpf/seccomp-flow.ts';
import { BPF_MEMWORDS, SKF_AD_OFF, type SockFilter } from '../cbpf/sock-filter.ts';
import { classicRow } from '../cbpf/table.ts';
import { mayBeWritten, WRITES_A, WRITES_X } from '../cbpf/written.ts';
import { verdictText } from '../ctx/verdict.ts';
import type { InsnIndex } from '../isa/insn.ts';
import type { ProgType } from '../object/object.ts';
import { type ConvertedText, convertedText } from './converted-text.ts';
import type { ExprCells } from './expression/value.ts';
import type { ClassicView } from './load-request.ts';
import type { Loaded } from './loaded.ts';

/** What a session knows of the classic program that it debugs. */
export interface ClassicDebug {
  readonly program: ClassicProgram;
  readonly filters: readonly SockFilter[];
  readonly attach: ClassicAttach;
  /** What the user sees and steps. */
  readonly view: ClassicView;
  /** First slot of each classic instruction, the registers' set-up left out. */
  readonly firstSlot: readonly InsnIndex[];
  /** The converted program as a text to debug in. */
  readonly text: ConvertedText;
  /** `mayBeWritten` of the program. */
  readonly written: Uint8Array;
  /** Words of the scratch memory that the program names, whether or not it ever gets there. */
  readonly scratch: ReadonlySet<number>;
  /** Of a seccomp filter: what registers hold before each instruction; empty for others. */
  readonly flow: readonly (SeccompState | undefined)[];
  /** Words for what a listing does not tell: system calls, extensions. */
  readonly notes: readonly (string | undefined)[];
}

/** A classic program and what it was converted to, ready to be debugged. */
export function classicDebug(
  fileName: string,
  of: Pick<ClassicDebug, 'program' | 'attach' | 'view'> & { readonly converted: Converted },
): ClassicDebug {
  const { converted, ...rest } = of;
  const filters = filtersOf(of.program);
  const firstSlot = converted.firstSlot.map((slot, pc) => (pc === 0 ? converted.setUp : slot));
  const isSeccomp = of.attach === 'seccomp';
  const notes = isSeccomp ? seccompNotes(filters) : filters.map(extensionNote);
  const text = convertedText(fileName, converted.insns, { filters, firstSlot, notes });
  const flow = isSeccomp ? seccompFlow(filters) : [];
  const written = mayBeWritten(filters);
  return { ...rest, filters, firstSlot, text, written, scratch: scratchNamed(filters), flow, notes };
}

function scratchNamed(filters: readonly SockFilter[]): ReadonlySet<number> {
  return new Set(filters.filter(({ code }) => classicRow(code)?.mode === 'mem').map(({ k }) => k));
}

/** Listings of `tcpdump -d` show an extension as an offset only. */
function extensionNote({ code, k }: SockFilter): string | undefined {
  if (classicRow(code)?.mode !== 'abs' || k < SKF_AD_OFF) return undefined;
  const extension = extensionAt(k - SKF_AD_OFF);
  return extension?.word === undefined ? extension?.constant : `#${extension.word}`;
}

/** The classic program where its own text is what the user sees; undefined for everything else. */
export function ownText(loaded: Loaded): ClassicDebug | undefined {
  return loaded.classic?.view === 'classic' ? loaded.classic : undefined;
}

/** The classic instruction that the slot of the converted program belongs to; the set-up to the first. */
export function classicIndexOf({ firstSlot }: ClassicDebug, slot: InsnIndex): number {
  const index = lastUpTo(firstSlot.length, slot, (at) => firstSlot[at] ?? 0);
  return Math.max(0, index);
}

/** Is the slot the first of a classic instruction? */
export function isClassicStart(classic: ClassicDebug, slot: InsnIndex): boolean {
  return classic.firstSlot[classicIndexOf(classic, slot)] === slot;
}

/** `(005) jeq #0x50 jt 6 jf 8`; of a seccomp filter with what is compared: `… ; openat`. */
export function classicInsnText({ filters, notes }: ClassicDebug, pc: number): string {
  const filter = filters[pc];
  const text = filter === undefined ? '' : listingLine(filter, pc).replace(/\s+/g, ' ').trimEnd();
  return notes[pc] === undefined ? text : `${text} ; ${notes[pc]}`;
}

/** The type of a program as its user knows it: a seccomp filter is converted to a `raw` program. */
export function shownType(loaded: Loaded, progType: ProgType): ProgType | 'seccomp' {
  return loaded.classic?.attach === 'seccomp' ? 'seccomp' : progType;
}

/** What a return value means to what the program is attached to. */
export function programVerdict(loaded: Loaded, retval: number): string {
  return loaded.classic?.attach === 'seccomp'
    ? seccompActionText(retval >>> 0)
    : verdictText(loaded.main.attr.progType, retval);
}

/** Numbers of the registers of classic BPF among the cells of expressions: A, X, then M[0] to M[15]. */
export const CELL_A = 0;
const CELL_X = 1;
export const CELL_M = 2;

/** One register of classic BPF at a stop. */
export interface ClassicCell {
  readonly cell: number;
  /** `A`, `X`, `M[3]`: also the expression for it. */
  readonly name: string;
  /** Unsigned 32 bits. */
  readonly value: number;
  /** The program has given it a value; where that depends on the path, true. */
  readonly written: boolean;
}

/** A, X and the scratch memory, as the innermost frame's classic instruction `pc` finds them. */
export function classicCells(loaded: Loaded, classic: ClassicDebug, pc: number): ClassicCell[] {
  const maybe = classic.written[pc] ?? 0;
  return Array.from({ length: CELL_M + BPF_MEMWORDS }, (_, cell): ClassicCell => {
    const value = readCell(loaded, cell);
    const written =
      cell >= CELL_M
        ? isScratchWritten(loaded, cell - CELL_M)
        : value !== 0 || (maybe & (cell === CELL_A ? WRITES_A : WRITES_X)) !== 0;
    return { cell, name: cellName(cell), value, written };
  });
}

/** `A`, `X`, `M[3]` */
function cellName(cell: number): string {
  if (cell === CELL_A) return 'A';
  return cell === CELL_X ? 'X' : `M[${cell - CELL_M}]`;
}

/** Is A what the filter returns, once this instruction is executed? */
export function returnsA(classic: ClassicDebug, pc: number): boolean {
  return classicRow(classic.filters[pc]?.code ?? 0)?.id === 'ret_a';
}

/** The registers of classic BPF for expressions; undefined where no classic program runs. */
export function expressionCells(loaded: Loaded): ExprCells | undefined {
  if (loaded.classic === undefined || loaded.cpu.progOrNone === undefined) return undefined;
  return {
    named(name) {
      if (name === 'A' || name === 'a') return CELL_A;
      return name === 'X' || name === 'x' ? CELL_X : undefined;
    },
    array: (name) => (name === 'M' ? { first: CELL_M, count: BPF_MEMWORDS } : undefined),
    read: (cell) => BigInt(readCell(loaded, cell)),
    write(cell, value) {
      writeCell(loaded, cell, value);
      return undefined;
    },
  };
}

function readCell({ cpu, machine }: Loaded, cell: number): number {
  if (cell < CELL_M) {
    return Number(cpu.readReg(cell === CELL_A ? CONVERTED.a : CONVERTED.x) & 0xffff_ffffn);
  }
  const bytes = machine.space.read(scratchAddress(cpu.readReg(CONVERTED.frame), cell - CELL_M), 4);
  return bytes === undefined ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
}

function writeCell({ cpu, machine }: Loaded, cell: number, value: bigint): void {
  if (cell < CELL_M) {
    cpu.writeReg(cell === CELL_A ? CONVERTED.a : CONVERTED.x, value);
    return;
  }
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, Number(value), true);
  machine.space.write(scratchAddress(cpu.readReg(CONVERTED.frame), cell - CELL_M), bytes);
}

function isScratchWritten({ cpu, machine }: Loaded, k: number): boolean {
  const known = machine.space.initialised(scratchAddress(cpu.readReg(CONVERTED.frame), k), 4);
  return known === undefined || known.every((byte) => byte !== 0);
}

function scratchAddress(frame: bigint, k: number): bigint {
  return BigInt.asUintN(64, frame + BigInt(scratchOffset(k)));
}
