import type { StopCause } from '../../interp/engine.ts';
import type { InsnIndex } from '../../isa/insn.ts';
import type { ExecProg } from '../../vm/program.ts';
import type { Native } from '../../x86-sim/state.ts';
import { nativeRegisters } from '../../x86-sim/view.ts';
import { isBetweenInsns, x86Sim } from '../../x86-sim/x86-sim.ts';
import type { LoadedContext } from '../context-fields.ts';
import type { Loaded } from '../loaded.ts';
import type { VariableRow } from '../target-rows.ts';
import type { BreakpointSites, NativeExecution, NativePlace } from './native-execution.ts';
import {
  isProcessorRegister,
  N_PROCESSOR_ROWS,
  processorRegister,
  processorRegisterNames,
  processorRows,
} from './processor-registers.ts';

/** Machine code on the simulated processor. */
export class X86Execution implements NativeExecution {
  readonly runsRest = true;
  readonly stopsAtAddresses = true;
  readonly nRows = N_PROCESSOR_ROWS;
  readonly #loaded: Loaded;

  constructor(loaded: Loaded) {
    this.#loaded = loaded;
  }

  get canStep(): boolean {
    return this.#state !== undefined;
  }

  get isAmidInsn(): boolean {
    const state = this.#state;
    return state !== undefined && !isBetweenInsns(state);
  }

  get isAmidRewritten(): boolean {
    const state = this.#state;
    return state !== undefined && state.arrive < 0;
  }

  get place(): NativePlace | undefined {
    const state = this.#state;
    if (state === undefined) return undefined;
    return { address: nativeRegisters(state).rip, slots: slotsAt(state), hasMoved: state.hasMoved };
  }

  step(): StopCause | undefined {
    const { machine, cpu } = this.#loaded;
    return x86Sim.step(machine, cpu.index);
  }

  /** The return address is where it stands. */
  standBehindCall(): void {}

  /** The processor takes what was changed when it goes on. */
  edited(): void {}

  startsOf(): ReadonlyMap<InsnIndex, number> {
    return new Map();
  }

  setBreakpoints({ addresses, slots, asksNative }: BreakpointSites): boolean {
    const native = [...addresses];
    x86Sim.text(this.#loaded.machine).setAddressBreakpoints(native);
    return native.length === 0 && !asksNative && !this.#findsShared(slots);
  }

  rows(context: LoadedContext): readonly VariableRow[] {
    const state = this.#state;
    return state === undefined ? [] : processorRows(context, state);
  }

  value(name: string): bigint | string | undefined {
    const state = this.#state;
    if (/^r[0-7]$/.test(name)) return `the processor has no such register; ${name} is the program's`;
    if (!isProcessorRegister(name)) return undefined;
    return state === undefined ? 'the program has no machine code' : processorRegister(state, name);
  }

  names(): readonly string[] {
    const state = this.#state;
    return state === undefined ? [] : processorRegisterNames(state);
  }

  /** The processor as it stands; undefined: the program has no machine code. */
  get #state(): Native | undefined {
    const { machine, cpu } = this.#loaded;
    return cpu.progOrNone === undefined ? undefined : x86Sim.at(machine, cpu.index);
  }

  #findsShared(slots: BreakpointSites['slots']): boolean {
    const text = x86Sim.text(this.#loaded.machine);
    const all = Array.from(slots, ([prog, its]: readonly [ExecProg, Iterable<InsnIndex>]) =>
      Array.from(its, (slot) => text.of(prog)?.codeAddress(slot)),
    ).flat();
    return new Set(all).size < all.length;
  }
}

function slotsAt({ func, at, arrive }: Native): readonly InsnIndex[] {
  if (arrive < 0) return [];
  const { end, prologueLen } = func.code;
  if (at < prologueLen) return [arrive];
  const slots = [arrive];
  for (let slot = arrive + 1; slot < end && func.startOf(slot) === at; slot++) slots.push(slot);
  return slots;
}
