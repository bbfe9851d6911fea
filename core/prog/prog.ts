import type { LineInfo, LoadAttr } from '../object/object.ts';
import type { BpfMap } from '../vm/map.ts';
import type { ExecProg } from '../vm/program.ts';
import type { KindsResult } from './kinds.ts';

/**
 * The auxiliary part of a program object (`struct bpf_prog_aux`): what is needed beside its code. The
 * locks are words in the machine's memory; byte addresses.
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
  /** Maps it created itself and frees with itself. */
  ownMaps: readonly BpfMap[];
}

/**
 * A program object before and after it has code (`struct bpf_prog`). The fields that memory stands
 * behind are byte addresses in the machine's linear memory, 0 once given back.
 */
export interface BpfProgShell {
  /** 4096-byte pages that the object with its instructions takes. */
  readonly pages: number;
  readonly aux: BpfProgAux;
  /** Per-CPU entry counter: one 32-bit word a CPU. */
  readonly active: number;
  /** Per-CPU statistics (`stats.ts`); 0: a program that is not counted. */
  stats: number;
  /** Native code is wanted (`bpf_jit_enable`). */
  readonly jitRequested: boolean;
  /** Its constants are to be blinded (`bpf_jit_harden`). */
  readonly blindingRequested: boolean;
  freed: boolean;
}

/** A loaded program. */
export interface BpfProg extends ExecProg, BpfProgShell {
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
}
