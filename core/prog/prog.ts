import type { InsnIndex } from '../isa/insn.ts';
import type { LineInfo, LoadAttr, ProgType } from '../object/object.ts';
import type { BpfMap } from '../vm/map.ts';
import type { ExecProg } from '../vm/program.ts';
import type { ProgTag } from './bpf-prog-calc-tag.ts';
import type { EntryArgs } from './extension-args.ts';
import type { KindsResult } from './kinds.ts';

/**
 * The auxiliary part of a program object (`struct bpf_prog_aux`): what is needed beside its code. The
 * locks are words in the machine's memory; byte addresses, 0 where there is nothing.
 */
export interface BpfProgAux {
  /** Protects the list of maps that the program uses. */
  readonly usedMapsMutex: number;
  /** Protects against being extended while put into a program array. */
  readonly extMutex: number;
  /** Protects the program that this one extends. */
  readonly dstMutex: number;
  /** Address of the block that the locks lie in. */
  readonly block: number;
  /** The object that it belongs to now. */
  prog: BpfProgShell | undefined;
  /** Maps it created itself and frees with itself. */
  ownMaps: readonly BpfMap[];
  /** Native address of each line record, 8 bytes each. */
  jitedLinfo: number;
  /** Kernel functions that it calls: their BTF ids, 4 bytes each. */
  kfuncTab: number;
  /** Bytes of native code of all functions; 0: there is none. */
  jitedLen: number;
  /** The native code of each function, the main one's first; empty: there is none. */
  jitedFuncs: readonly NativeImage[];
  /** What the native code is for; undefined: there is none. */
  jitedArch: JitedArch | undefined;
  /** Why it is interpreted; undefined when it is not. */
  whyInterpreted: string | undefined;
  /** Undefined where the machine's host cannot hash. */
  tag: ProgTag | undefined;
}

/** What a compiler makes native code for. */
export type JitedArch = 'x86-64' | 'wasm';

/** Where a function's native code lies. */
export interface NativeImage {
  /** Address of its first byte. */
  readonly image: bigint;
  /** Bytes. */
  readonly length: number;
}

/** A program's instructions as they stand, with where they come from. */
export interface Code {
  /** 8 bytes a slot. The object's memory holds the same bytes. */
  readonly insns: Uint8Array<ArrayBuffer>;
  /** Slot → slot as loaded. */
  readonly origIdx: Uint32Array;
  /**
   * Slot as loaded → first slot of what stands for it, behind what a function begins with in addition: where
   * jumps lead and breakpoints stop. One entry more for the end.
   */
  readonly firstNew: Uint32Array;
  /** Line records, ascending; `insnOff` in slots of `insns`. */
  readonly linfo: readonly LineInfo[];
  /** First slots of the functions, ascending, the main one (0) first. */
  readonly funcs: readonly InsnIndex[];
}

/**
 * A program object before and after it has code (`struct bpf_prog`). The fields that memory stands
 * behind are byte addresses in the machine's linear memory, 0 once given away or given back.
 */
export interface BpfProgShell {
  /** The object itself: whole pages, a head and then the instructions. */
  readonly base: number;
  /** 4096-byte pages that the object with its instructions takes. */
  readonly pages: number;
  /** Undefined once another object has it. */
  aux: BpfProgAux | undefined;
  /** Per-CPU entry counter: one 32-bit word a CPU. */
  active: number;
  /** Per-CPU statistics (`stats.ts`); 0: a program that is not counted. */
  stats: number;
  /** Native code is wanted (`bpf_jit_enable`). */
  readonly jitRequested: boolean;
  /** Its constants are to be blinded (`bpf_jit_harden`). */
  readonly blindingRequested: boolean;
  /** Its constants have been blinded. */
  blinded: boolean;
  /** It has native code. */
  jited: boolean;
  code: Code;
  freed: boolean;
}

/** A program on its way in: each pass may put another object in its place. */
export interface Rewriting {
  /** The object to use, and to free when something goes wrong, at any time. */
  prog: BpfProgShell;
}

/** The function that an extension takes the place of, as far as the extension depends on it. */
export interface ExtensionTarget {
  /** Type of the program that it belongs to, which is the extension's in all that matters. */
  readonly progType: ProgType;
  /** Its name. */
  readonly func: string;
  readonly args: EntryArgs;
}

/** A loaded program. */
export interface BpfProg extends ExecProg, BpfProgShell {
  aux: BpfProgAux | undefined;
  jited: boolean;
  /** What it was loaded from. */
  readonly attr: LoadAttr;
  /** Instructions as loaded (a copy). */
  readonly insns: Uint8Array;
  /** Slot as loaded → first slot of the rewritten program; one entry more for the end. */
  readonly firstXlated: Uint32Array;
  /** Its maps, as map loads count them. */
  readonly maps: readonly BpfMap[];
  /** Line info of the rewritten program. */
  readonly xlatedLineInfo: readonly LineInfo[];
  /** What the data-flow pass found, in slots as loaded. */
  readonly kinds: KindsResult;
  /** Its functions that are replaced, by their first slots. */
  readonly extensions: Map<InsnIndex, BpfProg>;
  /** What an extension was loaded for; undefined for other programs. */
  readonly target: ExtensionTarget | undefined;
}

/** The auxiliary part of an object that has it. Throws RangeError for one that has given it away. */
export function auxOf(prog: BpfProgShell): BpfProgAux {
  if (prog.aux === undefined) throw new RangeError('this program object has given its auxiliary part away');
  return prog.aux;
}
