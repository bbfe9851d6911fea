import { fnv1a } from '../bytes/fnv.ts';
import { WIDE_OPCODE } from '../isa/decode.ts';
import { INSN_SIZE, type InsnIndex } from '../isa/insn.ts';
import {
  BPF_JMP,
  BPF_JMP32,
  BPF_PSEUDO_MAP_FD,
  BPF_PSEUDO_MAP_VALUE,
  OP_CALL,
  OP_JA32,
} from '../isa/opcodes.ts';
import { xlatedInsn } from '../prog/xlated-text.ts';
import type { ProgramTextLine, ProgramTextReply } from '../protocol/messages.ts';
import { classicIndexOf, shownType } from './classic.ts';
import type { DebugFrame, DebugProgram, Loaded } from './loaded.ts';
import { besideFile } from './paths.ts';

/** Most lines of one answer. */
const MAX_LINES = 10_000;

/** Which part of the text is wanted. */
export interface TextPart {
  /** First line, from 0. */
  readonly start: number;
  readonly count: number;
}

/** What is the same for every part of a program's text: computed once, a few bytes a slot. */
export interface TextIndex {
  readonly textId: string;
  /** By line: the slot, or −1 − n for the heading of function n. */
  readonly slotOfLine: Int32Array;
  /** By slot: its line; the second slot of a wide instruction has that of the first. */
  readonly lineOfSlot: Int32Array;
}

const indexes = new WeakMap<DebugProgram, TextIndex>();

/**
 * Answer to `bpf/programText`: the rewritten program of the selected frame, or of the main program while
 * none has been entered. For a classic program that is what the converted program is rewritten to.
 */
export function programTextView(
  loaded: Loaded,
  frame: DebugFrame | undefined,
  stop: number,
  part: TextPart,
): ProgramTextReply {
  const program = frame?.program ?? loaded.main;
  const index = textIndex(program);
  const total = index.slotOfLine.length;
  const start = Math.min(Math.max(0, part.start), total);
  const end = Math.min(total, start + Math.min(Math.max(0, part.count), MAX_LINES));
  const lines: ProgramTextLine[] = [];
  for (let line = start; line < end; line++) lines.push(lineAt(loaded, program, index.slotOfLine[line] ?? 0));
  const currentLine = frame === undefined ? undefined : index.lineOfSlot[frame.view.pc];
  const { prog, attr } = program;
  return {
    stop,
    textId: index.textId,
    form: loaded.classic === undefined ? 'xlated' : 'converted',
    program: { id: prog.id, name: attr.name, type: shownType(loaded, attr.progType) },
    files: sourceFiles(loaded, program),
    total,
    start,
    lines,
    ...(currentLine === undefined ? {} : { currentLine }),
  };
}

/**
 * The sources that instructions stand in: of a classic program its own text, or the converted one where that is what the
 * user sees; none without line info.
 */
export function sourceFiles(loaded: Loaded, { attr }: DebugProgram): string[] {
  const { classic } = loaded;
  if (classic !== undefined) return [classic.view === 'ebpf' ? classic.text.name : loaded.fileName];
  if (attr.lineInfo.length === 0) return [];
  return attr.files.map((file) => besideFile(loaded.fileName, file));
}

/** The lines of a rewritten program: one an instruction, and a heading for each function. */
export function textIndex(program: DebugProgram): TextIndex {
  const known = indexes.get(program);
  if (known !== undefined) return known;
  const { xlated, subprogs } = program.prog;
  const n = xlated.length / INSN_SIZE;
  const heading = new Map(subprogs.map((subprog, number) => [subprog.start, number] as const));
  const slotOfLine = new Int32Array(n + subprogs.length);
  const lineOfSlot = new Int32Array(n);
  let line = 0;
  for (let slot = 0; slot < n; slot++) {
    const number = heading.get(slot);
    if (number !== undefined) slotOfLine[line++] = -1 - number;
    lineOfSlot[slot] = line;
    if (isWide(xlated, slot) && slot + 1 < n) lineOfSlot[slot + 1] = line;
    slotOfLine[line++] = slot;
    if (isWide(xlated, slot)) slot++;
  }
  const made: TextIndex = {
    textId: `${program.prog.id}:${program.attr.name}:${fnv1a(xlated).toString(16)}`,
    slotOfLine: slotOfLine.subarray(0, line),
    lineOfSlot,
  };
  indexes.set(program, made);
  return made;
}

function lineAt(loaded: Loaded, program: DebugProgram, slot: number): ProgramTextLine {
  const { prog } = program;
  if (slot < 0) return { text: prog.subprogs[-1 - slot]?.name ?? '' };
  const { text } = xlatedInsn(prog, slot);
  const original = prog.origIdx[slot] ?? 0;
  const { classic } = loaded;
  const source = sourcePlace(loaded, program, sourceFiles(loaded, program), original);
  if (classic !== undefined) {
    return { text, slot, origSlot: classicIndexOf(classic, original), ...(source && { source }) };
  }
  const mark = rewrittenMark(program, slot);
  return {
    text,
    slot,
    origSlot: original,
    ...(source === undefined ? {} : { source }),
    ...(mark === undefined ? {} : { mark }),
  };
}

/** Where the instruction at `original` (as loaded) stands; `file` counts in `files` (`sourceFiles`). */
export function sourcePlace(
  { classic }: Loaded,
  { lines }: DebugProgram,
  files: readonly string[],
  original: InsnIndex,
): ProgramTextLine['source'] {
  if (classic !== undefined) {
    const own = classic.program.insns[classicIndexOf(classic, original)];
    const { line, column } = (classic.view === 'ebpf' ? lines.locationOf(original) : own) ?? FIRST_PLACE;
    return { file: 0, line, column };
  }
  const location = lines.locationOf(original);
  const file = location === undefined ? -1 : files.indexOf(location.file);
  return location === undefined || file < 0
    ? undefined
    : { file, line: location.line, column: location.column };
}

const FIRST_PLACE = { line: 1, column: 0 };

/**
 * How the slot differs from what was loaded. In what one instruction has become, the one that is still the
 * same is unmarked; where none is, the last does the work (it writes the result) and the others were added.
 */
export function rewrittenMark({ prog }: DebugProgram, slot: InsnIndex): ProgramTextLine['mark'] {
  const original = prog.origIdx[slot] ?? 0;
  let first = slot;
  while (first > 0 && prog.origIdx[first - 1] === original) first--;
  const end = prog.origIdx.length;
  let same = -1;
  let last = first;
  for (let at = first; at < end && prog.origIdx[at] === original; at++) {
    if (same < 0 && isSame(prog.xlated, at, prog.insns, original)) same = at;
    last = at;
  }
  if (same >= 0) return slot === same ? undefined : 'added';
  return slot === last ? 'changed' : 'added';
}

/** Equal but for what loading resolves: offsets of jumps, numbers of maps and helpers. */
function isSame(xlated: Uint8Array, slot: InsnIndex, insns: Uint8Array, original: InsnIndex): boolean {
  const a = slot * INSN_SIZE;
  const b = original * INSN_SIZE;
  if (xlated[a] !== insns[b] || xlated[a + 1] !== insns[b + 1]) return false;
  const opcode = xlated[a] ?? 0;
  const regs = (xlated[a + 1] ?? 0) >> 4;
  const cls = opcode & 7;
  if (opcode === OP_JA32 || opcode === OP_CALL) return true;
  if (cls === BPF_JMP || cls === BPF_JMP32) return sameBytes(xlated, a + 4, insns, b + 4, 4);
  if (opcode === WIDE_OPCODE && (regs === BPF_PSEUDO_MAP_FD || regs === BPF_PSEUDO_MAP_VALUE)) return true;
  return sameBytes(xlated, a + 2, insns, b + 2, 6);
}

function sameBytes(x: Uint8Array, a: number, y: Uint8Array, b: number, count: number): boolean {
  for (let i = 0; i < count; i++) if (x[a + i] !== y[b + i]) return false;
  return true;
}

function isWide(insns: Uint8Array, slot: InsnIndex): boolean {
  return insns[slot * INSN_SIZE] === WIDE_OPCODE;
}
