import type { EngineName } from '../interp/engine.ts';
import type { ProgType } from '../object/object.ts';
import type {
  JitReply,
  JitRequest,
  JitRowsReply,
  JitRowsRequest,
  JitTextReply,
  JitTextRequest,
} from '../protocol/jit.ts';
import type { ProgramTextReply, RegistersReply, StackReply, StatsReply } from '../protocol/messages.ts';
import type { Fault } from '../vm/fault.ts';
import type { KernelVersion } from '../vm/settings.ts';
import type { LoadProgress } from './load-progress.ts';
import type { LockstepReport } from './lockstep-report.ts';

/**
 * What the two sides of a session say to each other. The *target* holds the simulated kernel and does
 * everything that touches it; the *client* (debug adapter, terminal debugger) asks and is told of stops.
 * All of it survives structured cloning: plain objects, byte arrays, bigint for 64-bit values.
 */

/** Where packet bytes come from. */
export type DataArg =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array; readonly name: string }
  | { readonly kind: 'hex'; readonly text: string }
  /** Name of a packet of `core/input/builtin.ts`. */
  | { readonly kind: 'builtin'; readonly name: string };

/**
 * What the user of a classic program sees and steps: its own text with A, X and M[], or the eBPF that it is
 * converted to.
 */
export type ClassicView = 'classic' | 'ebpf';

/** Whose addresses: those of native code, or those of BPF instructions as loaded. */
export type CodeSpace = 'native' | 'bpf';

/** Everything a session needs; files are handed in as bytes, so that the target does no I/O. */
export interface LoadArgs {
  /** Path of the program as the client knows it: what stack frames and messages name. */
  readonly fileName: string;
  readonly source: Uint8Array;
  /** Which of several programs; absent: the only one, or the first. */
  readonly prog?: string;
  /** Program type, where the file does not tell it; `seccomp` for a classic program that is one. */
  readonly type?: ProgType | 'seccomp';
  readonly capture?: { readonly name: string; readonly bytes: Uint8Array };
  /** Packets of the capture, from 1; absent: the first. */
  readonly packets?: 'all' | readonly number[];
  /** A packet that needs no capture. */
  readonly data?: DataArg;
  /** Values of context fields before the run. */
  readonly ctx?: Readonly<Record<string, bigint>>;
  /** Fields of a seccomp filter's `struct seccomp_data` (`seccompData`). */
  readonly seccomp?: Readonly<Record<string, string>>;
  /** Default `classic`; of no effect for a program that is none. */
  readonly view?: ClassicView;
  readonly engine?: string;
  /** An engine to compare with while the program runs; the first difference stops it. */
  readonly lockstep?: string;
  /** Seed of the machine's random numbers, unsigned 64 bits. */
  readonly seed?: bigint;
  /** CPU that runs the program, 0…63. */
  readonly cpu?: number;
  /** Instructions after which a packet's run ends in a fault `insn_limit`; absent: none. */
  readonly maxInsns?: number;
  /** Where offset 0 of a socket filter lies. */
  readonly attach?: 'packet' | 'test_run';
  /** Programs to put into program arrays: map name → index → program of the same file. */
  readonly progArrays?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** What a raw_tracepoint program is attached to, where its section does not tell. */
  readonly tracepoint?: string;
  /** Extensions of the same file (section `freplace/FUNC`) that take the place of functions of the program. */
  readonly freplace?: readonly string[];
  /** Run the program with its constants blinded (`bpf_jit_harden` 2), keys from `seed`; default false. */
  readonly blind?: boolean;
  /** The kernel that is simulated; default 6.18. */
  readonly kernel?: KernelVersion;
  /** Count run statistics; default true. */
  readonly stats?: boolean;
  /** What addresses of frames are addresses of; default `native` where the engine executes native code. */
  readonly disassembly?: CodeSpace;
}

/** Kinds of launch failure; the adapter numbers them. */
export type LaunchProblemKind =
  | 'assembly'
  | 'refused'
  | 'no-program'
  | 'bad-type'
  | 'bad-packet'
  | 'bad-capture'
  | 'bad-data'
  | 'bad-context'
  | 'bad-engine'
  | 'bad-argument';

/** Why a session cannot begin; `message` names file, line and column where there is one. */
export interface LaunchProblem {
  readonly kind: LaunchProblemKind;
  readonly message: string;
  /** Further lines for the console: every diagnostic of the file. */
  readonly details?: readonly string[];
}

/** A text made by the target. `file` is what locations call it, `name` what people do. */
export interface GeneratedSource {
  readonly file: string;
  readonly name: string;
  readonly text: string;
}

/** What was loaded, or why nothing was. */
export type LoadReply =
  | {
      readonly ok: true;
      readonly name: string;
      readonly progType: ProgType | 'seccomp';
      /** A source that locations name and that is no file: the converted program, where that is what is seen. */
      readonly generated?: GeneratedSource;
      readonly nPackets: number;
      /** Things worth telling that did not stop the launch (warnings, damaged capture, packet used). */
      readonly messages: readonly string[];
      readonly control?: ControlWord;
    }
  | { readonly ok: false; readonly problem: LaunchProblem };

/** The word that stops a running engine at once; handed out only where memory is shared. */
export interface ControlWord {
  readonly memory: SharedArrayBuffer;
  /** Of the 32-bit word in `memory`. */
  readonly byteOffset: number;
  /** Value that asks for a pause. */
  readonly pause: number;
}

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

/** Every request, its arguments and its answer. */
export interface TargetRequests {
  readonly load: { readonly args: LoadArgs; readonly reply: LoadReply };
  readonly setBreakpoints: {
    readonly args: { readonly file: string; readonly breakpoints: readonly BreakpointRequest[] };
    readonly reply: readonly BreakpointReply[];
  };
  /** Replaces all breakpoints on functions. */
  readonly setFunctionBreakpoints: {
    readonly args: { readonly breakpoints: readonly FunctionBreakpointRequest[] };
    readonly reply: readonly FunctionBreakpointReply[];
  };
  /** Replaces all breakpoints by address. */
  readonly setInstructionBreakpoints: {
    readonly args: { readonly breakpoints: readonly InstructionBreakpointRequest[] };
    readonly reply: readonly InstructionBreakpointReply[];
  };
  /**
   * `count` rows, the first `instructionOffset` instructions behind the place `offset` bytes behind
   * `reference`; both may be negative. `symbols`: names of maps, helpers and functions in the text.
   */
  readonly disassemble: {
    readonly args: {
      readonly reference: string;
      readonly offset: number;
      readonly instructionOffset: number;
      readonly count: number;
      readonly symbols: boolean;
    };
    readonly reply: DisassembleReply;
  };
  readonly breakpointLocations: {
    readonly args: { readonly file: string; readonly line: number; readonly endLine: number };
    readonly reply: readonly { readonly line: number; readonly column: number }[];
  };
  readonly setFaultStops: { readonly args: { readonly on: boolean }; readonly reply: null };
  /** Begins the first packet. `debug` false: no breakpoints, no stops. */
  readonly start: {
    readonly args: { readonly stopOnEntry: boolean; readonly debug: boolean };
    readonly reply: null;
  };
  readonly resume: { readonly args: RunCommand; readonly reply: null };
  readonly pause: { readonly args: null; readonly reply: null };
  readonly frames: { readonly args: null; readonly reply: readonly FrameRow[] };
  readonly scopes: { readonly args: { readonly frame: number }; readonly reply: readonly ScopeRow[] };
  readonly children: {
    readonly args: {
      readonly of: Container;
      /** Frame whose registers and stack are meant, and that meanings are told in; 0 when absent. */
      readonly frame?: number;
      readonly start: number;
      readonly count: number;
    };
    readonly reply: readonly VariableRow[];
  };
  readonly evaluate: {
    readonly args: {
      readonly expression: string;
      readonly frame: number;
      readonly context: EvaluateContext;
    };
    readonly reply: EvaluateReply;
  };
  /** `target` is an expression, or the name of a row of `container`. */
  readonly assign: {
    readonly args: {
      readonly target: string;
      readonly container?: Container;
      readonly value: string;
      readonly frame: number;
    };
    readonly reply: EvaluateReply;
  };
  readonly readMemory: {
    readonly args: { readonly reference: string; readonly offset: number; readonly count: number };
    readonly reply: ReadMemoryReply | { readonly message: string };
  };
  readonly writeMemory: {
    readonly args: {
      readonly reference: string;
      readonly offset: number;
      readonly bytes: Uint8Array;
      readonly allowPartial: boolean;
    };
    readonly reply: { readonly written: number; readonly edited: Edited } | { readonly message: string };
  };
  /**
   * Lets another engine go on with the stopped program; breakpoints are bound anew, setting them again tells where. No
   * `name`: only tells which one executes.
   */
  readonly switchEngine: { readonly args: { readonly name?: string }; readonly reply: SwitchEngineReply };
  readonly registers: { readonly args: { readonly frame: number }; readonly reply: RegistersReply };
  readonly stack: { readonly args: { readonly frame: number }; readonly reply: StackReply };
  readonly stats: { readonly args: null; readonly reply: StatsReply };
  /** `frame` undefined: the innermost, if there is one. `shown` false: the text has gone out of sight. */
  readonly programText: {
    readonly args: {
      readonly frame?: number;
      readonly start: number;
      readonly count: number;
      readonly shown?: boolean;
    };
    readonly reply: ProgramTextReply;
  };
  /** `frame` as in `programText`; `breakpoints`: addresses of those whose rows are to be told. */
  readonly jit: {
    readonly args: Omit<JitRequest, 'frameId'> & {
      readonly frame?: number;
      readonly breakpoints: readonly bigint[];
    };
    readonly reply: JitReply;
  };
  readonly jitRows: { readonly args: JitRowsRequest; readonly reply: JitRowsReply };
  readonly jitText: { readonly args: JitTextRequest; readonly reply: JitTextReply };
}

/** Name of a request. */
export type TargetMethod = keyof TargetRequests;

/** What the target tells unasked. */
export type TargetEvent =
  | { readonly kind: 'stopped'; readonly report: StopReport }
  | {
      readonly kind: 'output';
      readonly text: string;
      readonly category: OutputCategory;
      readonly location?: SourceLocation;
    }
  /** The simulation itself has failed; nothing more will come of it. */
  | { readonly kind: 'failed'; readonly message: string }
  /** The last packet is done. `exitCode` 1: a run faulted. */
  | { readonly kind: 'ended'; readonly exitCode: 0 | 1 };

/** Client → target. */
export interface ToTarget {
  readonly id: number;
  readonly method: TargetMethod;
  readonly args: TargetRequests[TargetMethod]['args'];
}

/** Target → client. `error`: the request could not be carried out; the text says why. */
export type FromTarget =
  | { readonly id: number; readonly reply: unknown }
  | { readonly id: number; readonly error: string }
  | { readonly event: TargetEvent }
  /** How far a request `load` is that is being carried out. */
  | { readonly progress: LoadProgress };
