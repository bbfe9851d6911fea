import type {
  JitReply,
  JitRequest,
  JitRowsReply,
  JitRowsRequest,
  JitTextReply,
  JitTextRequest,
} from '../protocol/jit.ts';
import type { ProgramTextReply, RegistersReply, StackReply, StatsReply } from '../protocol/messages.ts';
import type { LoadProgress } from './load-progress.ts';
import type { LoadArgs, LoadReply } from './load-request.ts';
import type {
  BreakpointReply,
  BreakpointRequest,
  Container,
  DisassembleReply,
  Edited,
  EvaluateContext,
  EvaluateReply,
  FrameRow,
  FunctionBreakpointReply,
  FunctionBreakpointRequest,
  InstructionBreakpointReply,
  InstructionBreakpointRequest,
  OutputCategory,
  ReadMemoryReply,
  RunCommand,
  ScopeRow,
  SourceLocation,
  StopReport,
  SwitchEngineReply,
  VariableRow,
} from './target-rows.ts';

/**
 * What the two sides of a session say to each other. The *target* holds the simulated kernel and does
 * everything that touches it; the *client* (debug adapter, terminal debugger) asks and is told of stops.
 * All of it survives structured cloning: plain objects, byte arrays, bigint for 64-bit values.
 */

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
