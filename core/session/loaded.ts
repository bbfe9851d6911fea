import type { RunInput } from '../ctx/input.ts';
import type { Engine } from '../interp/engine.ts';
import { decodeInsn } from '../isa/decode.ts';
import { helperById } from '../isa/helpers.ts';
import type { InsnIndex } from '../isa/insn.ts';
import { printInsn } from '../isa/print.ts';
import type { BpfObject, LoadAttr } from '../object/object.ts';
import type { TracingLink } from '../prog/bpf-tracing-prog-attach.ts';
import { unloadPrograms } from '../prog/extend.ts';
import type { BpfProg } from '../prog/prog.ts';
import type { Cpu, FrameView } from '../vm/cpu.ts';
import type { Machine } from '../vm/machine.ts';
import type { BpfMap } from '../vm/map.ts';
import type { ClassicDebug } from './classic.ts';
import type { LineIndex } from './line-index.ts';
import type { CodeSpace } from './load-request.ts';
import type { NativeCode } from './native-code.ts';
import type { SourceLocation } from './target-rows.ts';

/** A loaded program with what the debugger knows of its source. */
export interface DebugProgram {
  readonly prog: BpfProg;
  readonly attr: LoadAttr;
  readonly lines: LineIndex;
}

/** A packet (or memory) that a session runs its program on. */
export interface SessionPacket {
  /** Number in its capture, from 1; 1 where there is no capture. */
  readonly number: number;
  readonly input: RunInput;
}

/** Everything a session holds after its launch. */
export interface Loaded {
  readonly fileName: string;
  readonly machine: Machine;
  /** What executes the programs; another one after `switchEngine`. */
  engine: Engine;
  readonly cpu: Cpu;
  /** The program that packets are given to. */
  readonly main: DebugProgram;
  /** All loaded programs by id; more than one where program arrays are filled. */
  readonly programs: ReadonlyMap<number, DebugProgram>;
  readonly object: BpfObject;
  /** Line info of everything in the file, loaded or not; `slot`s are of no use. */
  readonly allLines: LineIndex;
  /** The classic program that the main one was converted from; undefined: it is eBPF. */
  readonly classic: ClassicDebug | undefined;
  /** Maps by name, for expressions and the Maps scope. */
  readonly maps: ReadonlyMap<string, BpfMap>;
  /** Constants that the file defines (`.equ`). */
  readonly constants: ReadonlyMap<string, bigint>;
  readonly packets: readonly SessionPacket[];
  /** Packets in the capture that the chosen ones come from; 0: no capture. */
  readonly nCaptured: number;
  readonly maxInsns: number | undefined;
  /** Extensions in their places. */
  readonly links: readonly TracingLink[];
  /** What the user has before his eyes. `rewritten`: the rewritten program, whose AX expressions then know. */
  readonly sight: { rewritten: boolean };
  /** Native code that somebody has been shown: its addresses stay known when the engine is another one. */
  readonly shownCode: Map<NativeCode, DebugProgram>;
  /** What addresses of frames are to be addresses of, where the engine executes native code. */
  readonly space: CodeSpace;
}

/** One frame of the stopped program, in original instructions. */
export interface DebugFrame {
  /** 0: the innermost, as DAP counts. */
  readonly index: number;
  readonly view: FrameView;
  readonly program: DebugProgram;
  readonly name: string;
  /** Original instruction about to execute; in outer frames the call. */
  readonly pc: InsnIndex;
  readonly location: SourceLocation | undefined;
}

/** Frees all programs of a session that is over, and their maps. */
export function unload({ machine, main, programs, links }: Loaded): void {
  const elsewhere = new Set([main.prog, ...links.map(({ prog }) => prog)]);
  const others = [...programs.values()].map(({ prog }) => prog).filter((prog) => !elsewhere.has(prog));
  unloadPrograms(machine, main.prog, others, links);
}

/** The frames of the CPU, innermost first; empty before the first packet. */
export function debugFrames(loaded: Loaded): readonly DebugFrame[] {
  if (loaded.cpu.progOrNone === undefined) return [];
  const frames: DebugFrame[] = [];
  for (const [index, view] of loaded.cpu.frames().entries()) {
    const program = loaded.programs.get(view.prog.id);
    if (program === undefined) break;
    const pc = view.prog.origIdx[view.pc] ?? 0;
    frames.push({
      index,
      view,
      program,
      name: view.subprog.name,
      pc,
      location: program.lines.locationOf(pc),
    });
  }
  return frames;
}

/** Text of an original instruction, with map and helper names. */
export function insnText(program: DebugProgram, pc: InsnIndex): string {
  const { insns, maps, funcs } = program.attr;
  if ((pc + 1) * 8 > insns.length) return '';
  return printInsn(decodeInsn(insns, pc), 'pseudoc', {
    helper: (id) => helperById(id)?.name,
    map: (ref) => maps[ref]?.name,
    func: (slot) => funcs.find((func) => func.insnOff === slot)?.name,
  });
}

/** `firewall.bpf.s:12:3`, or the instruction's number where there is no line info. */
export function placeText(program: DebugProgram, pc: InsnIndex): string {
  const location = program.lines.locationOf(pc);
  if (location === undefined) return `instruction ${pc} of ${program.attr.name}`;
  return `${location.file}:${location.line}${location.column > 0 ? `:${location.column}` : ''}`;
}
