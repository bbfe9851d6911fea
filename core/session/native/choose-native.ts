import { isAmidLoaded } from '../../interp/execute-one.ts';
import { wasm } from '../../jit/wasm/engine.ts';
import { wasmSim } from '../../wasm-sim/wasm-sim.ts';
import { x86Sim } from '../../x86-sim/x86-sim.ts';
import type { Loaded } from '../loaded.ts';
import type { NativeExecution } from './native-execution.ts';
import { WasmExecution } from './wasm-execution.ts';
import { X86Execution } from './x86-execution.ts';

/** The native code that the session's engine executes; undefined: it interprets. */
export function nativeExecution(loaded: Loaded): NativeExecution | undefined {
  if (loaded.engine === x86Sim) return new X86Execution(loaded);
  return loaded.engine === wasm ? new WasmExecution(loaded) : undefined;
}

/** Whether native steps have left the program in the middle of an instruction as loaded, whichever engine runs now. */
export function isAmidInsn(loaded: Loaded): boolean {
  if (loaded.cpu.progOrNone === undefined) return false;
  return nativeExecution(loaded)?.isAmidInsn ?? isAmidLoaded(loaded.cpu);
}

/** The program was entered anew: where native code of any kind stood in the run before is of no meaning. */
export function forgetNativePlaces({ cpu }: Loaded): void {
  x86Sim.forget(cpu);
  wasmSim.forget(cpu);
}
