import type { InsnIndex } from '../isa/insn.ts';
import type { BreakpointBytes } from './breakpoint-bytes.ts';

/** A function of a loaded program, in slots of the rewritten program. */
export interface Subprog {
  readonly name: string;
  readonly start: InsnIndex;
  readonly end: InsnIndex;
  /** Bytes of stack it uses, as the data-flow pass found; at most 512, with `may_goto` 528. */
  readonly stackDepth: number;
}

/** What engines and helpers need to know of a loaded program (`BpfProg` in `core/prog` is one). */
export interface ExecProg {
  /** Its id, and its key in `Machine.progs`. */
  readonly id: number;
  readonly name: string;
  readonly progType: string;
  /** It has native code. */
  readonly jited?: boolean;
  /**
   * The rewritten instructions; 8 bytes a slot; not changed while the program is loaded. `imm` of a call is
   * the function's address (`core/isa/numbering.ts`), of a map load with `src_reg` 1 or 2 the machine's map id, with
   * `src_reg` 5 or 6 an index into `mapIds`.
   */
  readonly xlated: Uint8Array;
  /** Original slot of each rewritten slot. */
  readonly origIdx: Uint32Array;
  /** Instructions as loaded, which `origIdx` points into; absent: `xlated` is all there is. */
  readonly insns?: Uint8Array;
  /**
   * Original slot → rewritten slot where that instruction begins; slots of the same original in front of it
   * are what its function begins with in addition. One entry more for the end. Absent: nothing was rewritten.
   */
  readonly firstXlated?: Uint32Array;
  /** Ascending by `start`; the first starts at 0. */
  readonly subprogs: readonly Subprog[];
  /** Rewritten slot → register that no path has given a value and that is read there (`uninitialised`). */
  readonly uninitialisedReads: ReadonlyMap<InsnIndex, number>;
  /** Where engines stop. */
  readonly breakpoints: BreakpointBytes;
  /** The machine's ids of the maps that it uses. */
  readonly mapIds: readonly number[];
  /** Address of its arena's first byte; undefined: it has none. */
  readonly arenaAddr?: bigint;
  /** Words that others look at (`prog-aux.ts`); undefined once it is freed, or for a program without. */
  readonly aux?: { readonly block: number } | undefined;
  /** First slots of its functions that are replaced → the extension that is called instead, at its slot 0. */
  readonly extensions?: ReadonlyMap<InsnIndex, ExecProg>;
}
