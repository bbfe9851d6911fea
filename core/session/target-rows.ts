import type { EngineName } from '../interp/engine.ts';
import type { Fault } from '../vm/fault.ts';
import type { LockstepReport } from './lockstep/report.ts';

/** A source breakpoint as it was asked for. */
export interface BreakpointRequest {
  /** From 1. */
  readonly line: number;
  /** From 1; absent: the first instruction of the line. */
  readonly column?: number;
  readonly condition?: string;
  /** `5`, `>= 5`, `% 3`: of the number of times the place was reached with its condition true. */
  readonly hitCondition?: string;
  /** Prints instead of stopping; `{expression}` is replaced by its value. */
  readonly logMessage?: string;
  /** The id that clients know it by from an earlier target; absent: it gets a new one. */
  readonly id?: number;
}

/** Where a breakpoint came to lie. `verified` false: nowhere, and `message` says why; lines and columns from 1. */
export interface BreakpointReply {
  readonly id: number;
  readonly verified: boolean;
  readonly line: number;
  readonly column?: number;
  /** Of the native code of the line, where the engine executes some: the line record's in the program object. */
  readonly address?: bigint;
  readonly message?: string;
}

/** A breakpoint by address as it was asked for: `offset` bytes behind `reference`. */
export interface InstructionBreakpointRequest {
  readonly reference: string;
  readonly offset: number;
  readonly condition?: string;
  readonly hitCondition?: string;
  /** As that of `BreakpointRequest`. */
  readonly id?: number;
}

/** What became of a breakpoint by address. `verified` false: it lies nowhere, and `message` says why. */
export interface InstructionBreakpointReply {
  readonly id: number;
  readonly verified: boolean;
  /** Unsigned 64 bits; see `code-address.ts`. */
  readonly address?: bigint;
  readonly location?: SourceLocation;
  readonly message?: string;
}

/** A breakpoint on a function as it was asked for. */
export interface FunctionBreakpointRequest {
  /** Of a program, or of a function of one. */
  readonly name: string;
  readonly condition?: string;
  readonly hitCondition?: string;
  /** As that of `BreakpointRequest`. */
  readonly id?: number;
}

/** What became of a breakpoint on a function. `verified` false: it lies nowhere, and `message` says why. */
export interface FunctionBreakpointReply {
  readonly id: number;
  readonly verified: boolean;
  readonly location?: SourceLocation;
  readonly message?: string;
}

/** One instruction of a disassembly. */
export interface DisassembledRow {
  /** Unsigned 64 bits; see `code-address.ts`. */
  readonly address: bigint;
  readonly bytes: Uint8Array;
  readonly text: string;
  /** Of a BPF instruction the function that it belongs to; of a native one the BPF instruction. */
  readonly symbol: string;
  /** The first row in a listing of native code that belongs to `symbol`. */
  readonly isFirst?: boolean;
  readonly location: SourceLocation | undefined;
}

/** Rows of a disassembly, null for one outside of the program; or why there are none. */
export type DisassembleReply =
  | { readonly rows: readonly (DisassembledRow | null)[] }
  | { readonly message: string };

/**
 * What `resume` does. `granularity` `line`: line info; `instruction`: one original instruction; `native`: one native
 * instruction where the engine executes those one by one (`x86-64`), else as `instruction`.
 */
export type RunCommand =
  | { readonly kind: 'continue' }
  | { readonly kind: 'in' | 'over'; readonly granularity: 'line' | 'instruction' | 'native' }
  | { readonly kind: 'out' };

/** Why a program stopped, in the words of DAP. */
export type StopReason =
  | 'entry'
  | 'breakpoint'
  /** Only breakpoints by address were hit. */
  | 'instruction breakpoint'
  /** Breakpoints on functions were hit, and none on a line. */
  | 'function breakpoint'
  | 'step'
  | 'pause'
  | 'exception';

/** Why the program stands still. */
export interface StopReport {
  /** Numbers the stops of a session from 1. */
  readonly stop: number;
  readonly reason: StopReason;
  /** One line for people: `XDP_DROP (1)`, a fault's text, `Paused at …`. */
  readonly description?: string;
  /** Ids of the breakpoints that were hit. */
  readonly breakpoints: readonly number[];
  readonly fault?: Fault;
  /** Stopped before an instruction that two engines (`LoadArgs.lockstep`) do not execute alike. */
  readonly difference?: LockstepReport;
  /** The packet's verdict, where the last `exit` has been executed. */
  readonly verdict?: string;
}

/** DAP's categories of output; `stdout` is what the program printed. */
export type OutputCategory = 'console' | 'stdout' | 'stderr' | 'important';

/** A place in a source file; paths as line info gives them, seen from the program's folder. */
export interface SourceLocation {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1; 0 where unknown. */
  readonly column: number;
}

/** One call frame of a stop. */
export interface FrameRow {
  /** 0: the innermost. */
  readonly index: number;
  /** Program's or subprogram's name. */
  readonly name: string;
  readonly location: SourceLocation | undefined;
  /** Original instruction about to execute; in outer frames the call. */
  readonly pc: number;
  /** Its address for disassembly and breakpoints, unsigned 64 bits; see `code-address.ts`. */
  readonly address: bigint;
  /** Text of that instruction. */
  readonly insn: string;
}

/** Something that has children in the Variables view. Addresses are unsigned 64 bits. */
export type Container =
  | { readonly kind: 'registers' | 'native' | 'stack' | 'packet' | 'context' | 'maps' }
  | { readonly kind: 'map'; readonly id: number }
  /** The scratch memory of a classic program. */
  | { readonly kind: 'scratch' }
  /** Memory in rows of 16 bytes, or one byte a row. Names count from `from`. */
  | {
      readonly kind: 'memory';
      readonly addr: bigint;
      readonly size: number;
      readonly unit: 1 | 16;
      readonly from: number;
    };

/** One row of the Variables view: a name, its value as text, and what can be done with it. */
export interface VariableRow {
  readonly name: string;
  readonly value: string;
  readonly type: string;
  /** Expression that gives the same value, for watch and copy. */
  readonly evaluateName?: string;
  readonly memory?: MemoryPlace;
  readonly children?: Container;
  /** Number of children when they are an index, for paging. */
  readonly indexed?: number;
  /** Number of children when they are names. */
  readonly named?: number;
  readonly readOnly?: boolean;
}

/** A place in memory: `reference` is the canonical name of its region, `offset` bytes into it. */
export interface MemoryPlace {
  readonly reference: string;
  readonly offset: number;
}

/** A group of variables of a frame. */
export interface ScopeRow {
  readonly name: string;
  readonly container: Container;
  readonly named?: number;
  readonly indexed?: number;
  readonly expensive: boolean;
}

/** Where an expression comes from, in the words of DAP; only `repl` may assign. */
export type EvaluateContext = 'watch' | 'hover' | 'repl' | 'clipboard' | 'variables';

/** The result of an evaluation or an edit, or why there is none. */
export type EvaluateReply =
  | {
      readonly ok: true;
      readonly row: VariableRow;
      /** What an assignment has changed. */
      readonly edited?: Edited;
    }
  | { readonly ok: false; readonly message: string };

/** What an edit has changed: registers (`memory` absent) or bytes of a region. */
export interface Edited {
  readonly memory?: MemoryPlace & { readonly count: number };
}

/** Bytes of a region. */
export interface ReadMemoryReply {
  /** Address of the first byte. */
  readonly address: bigint;
  readonly bytes: Uint8Array;
  /** Bytes that were asked for and do not exist. */
  readonly unreadable: number;
}

/** The engine that executes from now on, or why it stays the old one. */
export type SwitchEngineReply =
  | { readonly ok: true; readonly engine: EngineName }
  | { readonly ok: false; readonly message: string };
