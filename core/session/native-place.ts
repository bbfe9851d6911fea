import type { StopCause } from '../interp/engine.ts';
import { isAmidLoaded } from '../interp/execute-one.ts';
import type { InsnIndex } from '../isa/insn.ts';
import { wasm, wasmImage } from '../jit/wasm/engine.ts';
import { codeStarts } from '../jit/wasm/jit-compiler.ts';
import type { ExecProg } from '../vm/program.ts';
import { type WasmPlace, type WasmSim, wasmSim } from '../wasm-sim/wasm-sim.ts';
import type { Native } from '../x86-sim/state.ts';
import { nativeRegisters } from '../x86-sim/view.ts';
import { isBetweenInsns, type X86Sim, x86Sim } from '../x86-sim/x86-sim.ts';
import type { Loaded } from './loaded.ts';

/** The simulated processor, where it is what executes the session's programs. */
export function simulatedProcessor({ engine }: Loaded): X86Sim | undefined {
  return engine === x86Sim ? x86Sim : undefined;
}

/** What steps through WebAssembly, where that is what executes the session's programs. */
function wasmStepper({ engine }: Loaded): WasmSim | undefined {
  return engine === wasm ? wasmSim : undefined;
}

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

/** The processor as it stands; undefined: another engine runs, or the program has no machine code. */
export function processorState(loaded: Loaded): Native | undefined {
  const { machine, cpu } = loaded;
  return cpu.progOrNone === undefined ? undefined : simulatedProcessor(loaded)?.at(machine, cpu.index);
}

/** Where the code of rewritten slots begins, where compiled WebAssembly is executed (`codeStarts`); else nothing is known. */
export function compiledStarts({ engine, machine }: Loaded, prog: ExecProg): ReadonlyMap<InsnIndex, number> {
  const image = engine === wasm ? wasmImage(machine, prog) : undefined;
  return image === undefined || 'reason' in image ? new Map() : codeStarts(image.program);
}

/** WebAssembly as it stands; undefined as above. */
export function wasmState(loaded: Loaded): WasmPlace | undefined {
  const { machine, cpu } = loaded;
  return cpu.progOrNone === undefined ? undefined : wasmStepper(loaded)?.at(machine, cpu);
}

/** Whether the program can be stepped by native instructions where it stands. */
export function canStepNative(loaded: Loaded): boolean {
  const { machine, cpu } = loaded;
  return processorState(loaded) !== undefined || wasmStepper(loaded)?.canStep(machine, cpu) === true;
}

/**
 * Executes one native instruction; `over`: with the function of the compiler's own that it calls, if it does. `budget`
 * where it did and the program can go on. Undefined, with nothing done: the program has no native code.
 */
export function nativeStep(loaded: Loaded, over: boolean, left: number): StopCause | undefined {
  const { machine, cpu } = loaded;
  const processor = simulatedProcessor(loaded);
  if (processor !== undefined) return processor.step(machine, cpu.index);
  return wasmStepper(loaded)?.step(machine, cpu, { over, left });
}

/** A native step over a call has come back: native code that is more than the call goes on behind it. */
export function standBehindCall(loaded: Loaded): void {
  wasmStepper(loaded)?.standBehindCall(loaded.machine, loaded.cpu);
}

/** The program was entered anew: where native code stood in the run before is of no meaning. */
export function forgetNativePlace({ cpu }: Loaded): void {
  x86Sim.forget(cpu);
  wasmSim.forget(cpu);
}

/** Registers or memory were changed: what WebAssembly has been evaluated to begins again with its instruction. */
export function forgetEvaluated({ cpu }: Loaded): void {
  wasmSim.forget(cpu);
}

/** Where native code stands at a stop; undefined: at the pc, and nowhere in particular. */
export function nativePlace(loaded: Loaded): NativePlace | undefined {
  const { machine, cpu } = loaded;
  const n = processorState(loaded);
  if (n !== undefined) {
    return { address: nativeRegisters(n).rip, slots: slotsAt(n), hasMoved: n.hasMoved };
  }
  const stepped = cpu.progOrNone === undefined ? undefined : wasmStepper(loaded)?.stepped(machine, cpu);
  return stepped && { address: stepped.address, slots: stepped.arrived, hasMoved: true };
}

/** It stands in the middle of an instruction as loaded, where a native step or a breakpoint by address has left it. */
export function isAmidInsn(loaded: Loaded): boolean {
  const n = processorState(loaded);
  if (n !== undefined) return !isBetweenInsns(n);
  return loaded.cpu.progOrNone !== undefined && isAmidLoaded(loaded.cpu);
}

function slotsAt({ func, at, arrive }: Native): readonly InsnIndex[] {
  if (arrive < 0) return [];
  const { end, prologueLen } = func.code;
  if (at < prologueLen) return [arrive];
  const slots = [arrive];
  for (let slot = arrive + 1; slot < end && func.startOf(slot) === at; slot++) slots.push(slot);
  return slots;
}
