import type { StopCause } from '../../interp/engine.ts';
import { isAmidLoaded } from '../../interp/execute-one.ts';
import type { InsnIndex } from '../../isa/insn.ts';
import { wasmImage } from '../../jit/wasm/engine.ts';
import { codeStarts } from '../../jit/wasm/jit-compiler.ts';
import type { ExecProg } from '../../vm/program.ts';
import { type WasmPlace, wasmSim } from '../../wasm-sim/wasm-sim.ts';
import type { LoadedContext } from '../context-fields.ts';
import type { Loaded } from '../loaded.ts';
import type { VariableRow } from '../target-rows.ts';
import type { NativeExecution, NativePlace } from './native-execution.ts';
import { whyNoProcessor } from './processor-registers.ts';
import { wasmLocals, wasmRows } from './wasm-locals.ts';

/** Compiled WebAssembly, which is evaluated where it is stepped. */
export class WasmExecution implements NativeExecution {
  readonly runsRest = false;
  readonly stopsAtAddresses = false;
  readonly isAmidRewritten = false;
  readonly nRows = undefined;
  readonly #loaded: Loaded;

  constructor(loaded: Loaded) {
    this.#loaded = loaded;
  }

  get canStep(): boolean {
    const { machine, cpu } = this.#loaded;
    return wasmSim.canStep(machine, cpu);
  }

  get isAmidInsn(): boolean {
    return isAmidLoaded(this.#loaded.cpu);
  }

  get place(): NativePlace | undefined {
    const { machine, cpu } = this.#loaded;
    const stepped = cpu.progOrNone === undefined ? undefined : wasmSim.stepped(machine, cpu);
    return stepped && { address: stepped.address, slots: stepped.arrived, hasMoved: true };
  }

  step(over: boolean, left: number): StopCause | undefined {
    const { machine, cpu } = this.#loaded;
    return wasmSim.step(machine, cpu, { over, left });
  }

  standBehindCall(): void {
    wasmSim.standBehindCall(this.#loaded.machine, this.#loaded.cpu);
  }

  /** The code of an instruction that is under way begins again. */
  edited(): void {
    wasmSim.forget(this.#loaded.cpu);
  }

  startsOf(prog: ExecProg): ReadonlyMap<InsnIndex, number> {
    const image = wasmImage(this.#loaded.machine, prog);
    return 'reason' in image ? new Map() : codeStarts(image.program);
  }

  setBreakpoints(): boolean {
    return true;
  }

  rows(context: LoadedContext): readonly VariableRow[] {
    const state = this.#state;
    return state === undefined ? [] : wasmRows(context, state);
  }

  value(name: string): bigint | string | undefined {
    const state = this.#state;
    const local = state && wasmLocals(state).find((each) => each.name === name);
    if (local !== undefined) return local.value;
    if (state !== undefined && /^(r([0-9]|10)|ax)$/.test(name)) return `the function has no local $${name}`;
    return whyNoProcessor(this.#loaded, name);
  }

  names(): readonly string[] {
    const state = this.#state;
    return state === undefined ? [] : wasmLocals(state).map(({ name }) => name);
  }

  /** WebAssembly as it stands; undefined: the program is not compiled. */
  get #state(): WasmPlace | undefined {
    const { machine, cpu } = this.#loaded;
    return cpu.progOrNone === undefined ? undefined : wasmSim.at(machine, cpu);
  }
}
