import type { InsnIndex } from '../isa/insn.ts';
import type { ExecProg } from '../vm/program.ts';
import { STEP_BREAKPOINT } from './breakpoint.ts';
import { classicIndexOf, ownText } from './classic.ts';
import type { Loaded } from './loaded.ts';
import { nativeExecution } from './native/choose-native.ts';
import type { RunCommand } from './target-rows.ts';

/**
 * A step under way. `single`: the engine executes one instruction at a time and `stepDone` looks at each; `native`:
 * one native instruction.
 * `return`: it runs freely to the temporary breakpoint behind a call. `free`: it runs to the end of the
 * packet (stepping out of the main function).
 */
export interface StepPlan {
  mode: 'single' | 'native' | 'return' | 'free';
  /** Takes the temporary breakpoint away. */
  clear(): void;
  readonly kind: 'in' | 'over' | 'out';
  byInstruction: boolean;
  /** It began as a native one. */
  isNative: boolean;
  /** Where it began. */
  readonly depth: number;
  readonly prog: ExecProg;
  readonly line: string | undefined;
  /** Last original slot looked at in the frame where it began, to see jumps backwards. */
  lastSlot: InsnIndex;
  /** Depth at which the temporary breakpoint counts (recursion passes it deeper). */
  returnDepth: number;
}

/** Prepares a step from where the program stands. */
export function beginStep(loaded: Loaded, command: RunCommand & { kind: 'in' | 'over' | 'out' }): StepPlan {
  const { cpu } = loaded;
  const { prog, depth } = cpu;
  const slot = prog.origIdx[cpu.pc] ?? 0;
  const isClassic = ownText(loaded) !== undefined;
  const plan: StepPlan = {
    mode: 'single',
    clear: () => {},
    kind: command.kind,
    // of a classic program in its own text nothing smaller than its instruction is seen
    byInstruction: !isClassic && command.kind !== 'out' && command.granularity !== 'line',
    isNative: false,
    depth,
    prog,
    line: lineKey(loaded, prog, slot),
    lastSlot: slot,
    returnDepth: depth,
  };
  if (command.kind !== 'out' && command.granularity === 'native' && nativeExecution(loaded)?.canStep) {
    plan.mode = 'native';
    plan.isNative = true;
    plan.byInstruction = true;
  }
  if (command.kind === 'out') {
    if (depth === 0) plan.mode = 'free';
    else runToReturn(loaded, plan);
  }
  return plan;
}

/**
 * Looks at where the program stands after one instruction (or at the temporary breakpoint): is the step
 * over? May change the plan's mode: over a call the engine runs freely to its return.
 */
export function stepDone(loaded: Loaded, plan: StepPlan): boolean {
  const { cpu } = loaded;
  const { prog, depth } = cpu;
  if (plan.mode === 'free') return false;
  if (plan.mode === 'return') {
    if (depth > plan.returnDepth) return false;
    plan.clear();
    plan.mode = 'single';
    if (plan.kind === 'out') return true;
    if (plan.isNative) nativeExecution(loaded)?.standBehindCall();
  }
  if (depth > plan.depth && plan.kind === 'over') {
    runToReturn(loaded, plan);
    return false;
  }
  const { pc } = cpu;
  const slot = prog.origIdx[pc] ?? 0;
  if (plan.byInstruction || depth !== plan.depth || prog !== plan.prog) return true;
  return isNewLine(loaded, plan, slot);
}

/** Is `slot`, in the frame where the step began, the start of another line or of another round of this one? */
function isNewLine(loaded: Loaded, plan: StepPlan, slot: InsnIndex): boolean {
  const entry = loaded.programs.get(plan.prog.id)?.lines.entryOf(slot);
  const backwards = slot <= plan.lastSlot;
  plan.lastSlot = slot;
  if (entry === undefined) return true;
  if (entry.start !== slot) return false;
  return backwards || lineKey(loaded, plan.prog, slot) !== plan.line;
}

/** What a step leaves: a line; of a classic program, which may have several in a line, an instruction. */
function lineKey(loaded: Loaded, prog: ExecProg, slot: InsnIndex): string | undefined {
  const classic = ownText(loaded);
  if (classic !== undefined) return String(classicIndexOf(classic, slot));
  const location = loaded.programs.get(prog.id)?.lines.locationOf(slot);
  return location === undefined ? undefined : `${location.file}:${location.line}`;
}

/** Puts the temporary breakpoint behind the call that the innermost frame returns to. */
function runToReturn(loaded: Loaded, plan: StepPlan): void {
  const caller = loaded.cpu.frames()[1];
  if (caller === undefined) return;
  const { prog } = caller;
  const slot = caller.pc + 1;
  prog.breakpoints.set(slot, (prog.breakpoints.bytes[slot] ?? 0) | STEP_BREAKPOINT);
  plan.mode = 'return';
  plan.returnDepth = loaded.cpu.depth - 1;
  plan.clear = () => {
    prog.breakpoints.set(slot, (prog.breakpoints.bytes[slot] ?? 0) & ~STEP_BREAKPOINT);
  };
}
