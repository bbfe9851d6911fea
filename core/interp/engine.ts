import type { Fault } from '../vm/fault.ts';
import type { Machine } from '../vm/machine.ts';
import type { ExecProg } from '../vm/program.ts';

/** The engines' names, the same in CLI, DAP and tests. Which of them exist: `core/session/engines.ts`. */
export type EngineName = 'reference' | 'interp' | 'wasm' | 'x86-64';

/** How far and how attentively an engine runs. */
export interface RunLimits {
  /**
   * Instructions as loaded after which `run` returns `budget`; Infinity: none. One that was rewritten to
   * several is executed whole, so 1 is a single step.
   */
  readonly budget: number;
  /** Obey the programs' breakpoint bytes. */
  readonly breakpoints: boolean;
  /** Do not stop at a breakpoint on the very first instruction (continuing from it). */
  readonly resume: boolean;
  /** Judges the breakpoints that are reached, so that one with a condition that is false costs no stop. */
  readonly passes?: BreakpointJudge | undefined;
}

/**
 * Asked at a breakpoint before `slot` (rewritten) of `prog`, with pc, registers, frames and memory where all engines have
 * them: true, and the run goes on. It changes nothing. An engine may also stop without asking.
 */
export type BreakpointJudge = (prog: ExecProg, slot: number) => boolean;

/** Why `run` returned. The machine's state is whole in each case and `run` can go on from it. */
export type StopCause =
  | { readonly kind: 'exit' }
  | { readonly kind: 'fault'; readonly fault: Fault }
  | { readonly kind: 'breakpoint' }
  | { readonly kind: 'budget' }
  | { readonly kind: 'pause' };

/** Executes the program that CPU `cpu` of `machine` stands in, from its pc, until something stops it. */
export interface Engine {
  readonly name: EngineName;
  run(machine: Machine, cpu: number, limits: RunLimits): StopCause;
}
