import type { StopCause } from '../../interp/engine.ts';
import type { InsnIndex } from '../../isa/insn.ts';
import type { ExecProg } from '../../vm/program.ts';
import type { LoadedContext } from '../context-fields.ts';
import type { VariableRow } from '../target-rows.ts';

/** Where native code stands that can be stepped by its own instructions. */
export interface NativePlace {
  /** Of the native instruction that is executed next. */
  readonly address: bigint;
  /**
   * Slots of the rewritten program that begin there, or that code has just come to: several where some have no native
   * code; none amid a BPF instruction.
   */
  readonly slots: readonly InsnIndex[];
  /** A native instruction was executed since the run went on from a breakpoint. */
  readonly hasMoved: boolean;
}

/** Where breakpoints lie now. */
export interface BreakpointSites {
  /** Native addresses. */
  readonly addresses: Iterable<bigint>;
  /** Slots of rewritten programs. */
  readonly slots: ReadonlyMap<ExecProg, Iterable<InsnIndex>>;
  /** Some condition asks for what native code keeps values in (`$rax`). */
  readonly asksNative: boolean;
}

/** Native code that the session's engine executes, as sessions step and look at it: all that they know of an engine. */
export interface NativeExecution {
  /** Whether the program can be stepped by native instructions where it stands. */
  readonly canStep: boolean;
  /** A run with a budget of 0 executes the rest of an instruction that native steps have ended amid. */
  readonly runsRest: boolean;
  /** Breakpoints by address stop where they are set, also amid a BPF instruction. */
  readonly stopsAtAddresses: boolean;
  /** It stands in the middle of an instruction as loaded, where a native step or a breakpoint by address has left it. */
  readonly isAmidInsn: boolean;
  /** It stands in the middle of an instruction as rewritten, from where no other engine can go on. */
  readonly isAmidRewritten: boolean;
  /** Where native code stands at a stop; undefined: at the pc, and nowhere in particular. */
  readonly place: NativePlace | undefined;
  /** Rows of the Native scope, where that is known before they are asked for. */
  readonly nRows: number | undefined;

  /**
   * Executes one native instruction; `over`: with the function of the compiler's own that it calls, if it does. `left`: BPF
   * instructions that may be executed. `budget` where it did and the program can go on. Undefined, with nothing done: the
   * program has no native code.
   */
  step(over: boolean, left: number): StopCause | undefined;
  /** A native step over a call has come back: native code that is more than the call goes on behind it. */
  standBehindCall(): void;
  /** Registers or memory were changed. */
  edited(): void;
  /** Offsets of the code of slots, where one stop serves all breakpoints at an offset; empty: the engine sees to that. */
  startsOf(prog: ExecProg): ReadonlyMap<InsnIndex, number>;
  /**
   * Takes note of where breakpoints lie. Whether each can be judged by itself while the engine runs: no other one lies at
   * the same address, and none asks for what the engine keeps to itself then.
   */
  setBreakpoints(sites: BreakpointSites): boolean;

  /** The rows of the Native scope: what native code keeps values in. */
  rows(context: LoadedContext): readonly VariableRow[];
  /** The value of what native code calls `name`, unsigned; a text: why it has none; undefined: nothing has that name. */
  value(name: string): bigint | string | undefined;
  /** Names that have a value, without the `$`. */
  names(): readonly string[];
}
