import type { LineInfo } from '#core/object/object.ts';
import type { JitCompiler } from '#core/prog/bpf-int-jit-compile.ts';
import { jitedLinfo } from '#core/prog/bpf-prog-alloc-jited-linfo.ts';
import { tagText } from '#core/prog/bpf-prog-calc-tag.ts';
import { functionSymbol } from '#core/prog/function-symbol.ts';
import type { BpfProg } from '#core/prog/load.ts';
import { auxOf } from '#core/prog/prog.ts';
import type { Machine } from '#core/vm/machine.ts';
import { hex64 } from './json.ts';

/** How `jit` prints. */
export interface JitTextOptions {
  /** File, line and column behind the source text. */
  readonly linum: boolean;
  /** The bytes of each instruction. */
  readonly opcodes: boolean;
  /** Text of the program's first file, by line. */
  readonly sourceLines: readonly string[] | undefined;
}

/** Native code of a loaded program, as `jit` gives it out: in pieces, because one string could be too long. */
export interface ShownCode {
  /** What people read. */
  text(options: JitTextOptions): Iterable<string>;
  /** One JSON object. */
  json(): Iterable<string>;
  /** The code itself: a WebAssembly module, or the images of the functions one behind the other. */
  bytes(): Uint8Array;
}

/** A compiler for one load, and what it made of the program that was loaded with it. */
export interface NativeCompiler {
  readonly jit: JitCompiler;
  shown(prog: BpfProg): ShownCode;
}

/** The line records of a compiled program by the native address that `jited_linfo` has for them. */
export function linesByAddress(machine: Machine, prog: BpfProg): ReadonlyMap<bigint, readonly LineInfo[]> {
  const found = new Map<bigint, LineInfo[]>();
  (jitedLinfo(machine, prog) ?? []).forEach((addr, i) => {
    const line = prog.xlatedLineInfo[i];
    if (line === undefined) return;
    const known = found.get(addr);
    if (known === undefined) found.set(addr, [line]);
    else known.push(line);
  });
  return found;
}

/** A line record as bpftool's dumps have it, with its text where that is known. */
export function lineText(prog: BpfProg, { file, line, column }: LineInfo, options: JitTextOptions): string {
  const text = file === 0 ? options.sourceLines?.[line - 1]?.trim() : undefined;
  const name = prog.attr.files[file] ?? '?';
  if (!options.linum) return `; ${text ?? `${name}:${line}`}`;
  return `; ${text === undefined ? '' : `${text} `}[file:${name} line_num:${line} line_col:${column}]`;
}

/** What the kernel calls the function that is number `index` of a program and begins at slot `start`. */
export function symbolOf(machine: Machine, prog: BpfProg, index: number, start: number): string {
  const subprog = prog.subprogs[index];
  return subprog === undefined ? `func_${start}` : functionSymbol(machine, prog, subprog, subprog.name);
}

/** What `--json` tells of a program in front of its functions. */
export function programJson(prog: BpfProg, arch: string): object {
  const { tag, jitedLen } = auxOf(prog);
  return {
    name: prog.name,
    type: prog.progType,
    tag: tag === undefined ? null : tagText(tag.tag),
    arch,
    blinded: prog.blinded,
    bytes_jited: jitedLen,
  };
}

/** Line records as `--json` has them at an instruction. */
function linesJson(prog: BpfProg, lines: readonly LineInfo[]): object[] {
  return lines.map(({ file, line, column }) => ({ file: prog.attr.files[file] ?? null, line, column }));
}

/**
 * Where a native instruction comes from, as `--json` has it: the rewritten slot that it was made for (−1: none), that
 * slot as loaded, and the line records that stand here.
 */
export function originJson(prog: BpfProg, slot: number, lines: readonly LineInfo[]): object {
  return {
    xlated_pc: slot < 0 ? null : slot,
    orig_pc: slot < 0 ? null : (prog.origIdx[slot] ?? 0),
    lines: linesJson(prog, lines),
  };
}

/** All line records with their native addresses. */
export function lineInfoJson(machine: Machine, prog: BpfProg): object[] {
  const addresses = jitedLinfo(machine, prog);
  return prog.xlatedLineInfo.map((record, i) => ({
    insn_off: record.insnOff,
    ...linesJson(prog, [record])[0],
    jited: hex64(addresses?.[i] ?? 0n),
  }));
}

/** A JSON object with the fields of `head`, the list `name` and the fields of `tail`, in pieces; items are pieces too. */
export function* objectWithList(
  head: object,
  name: string,
  items: Iterable<Iterable<string>>,
  tail: object = {},
): Iterable<string> {
  yield `${JSON.stringify(head).slice(0, -1)},${JSON.stringify(name)}:[`;
  let isFirst = true;
  for (const item of items) {
    if (!isFirst) yield ',';
    isFirst = false;
    yield* item;
  }
  const rest = JSON.stringify(tail).slice(1);
  yield rest === '}' ? ']}' : `],${rest}`;
}
