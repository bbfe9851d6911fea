import type { InsnIndex } from '../isa/insn.ts';
import type { Native } from '../x86-sim/state.ts';
import { nativeRegisters } from '../x86-sim/view.ts';
import { isBetweenInsns, type X86Sim, x86Sim } from '../x86-sim/x86-sim.ts';
import type { Loaded } from './loaded.ts';

/** The simulated processor, where it is what executes the session's programs. */
export function simulatedProcessor({ engine }: Loaded): X86Sim | undefined {
  return engine === x86Sim ? x86Sim : undefined;
}

/** Where the simulated processor stands. */
export interface NativePlace {
  /** Of the native instruction that is executed next. */
  readonly rip: bigint;
  /** Slots of the rewritten program that begin there: several where some have no machine code; none amid a BPF instruction. */
  readonly slots: readonly InsnIndex[];
  /** A native instruction was executed since the run went on from a breakpoint. */
  readonly hasMoved: boolean;
}

/** The processor as it stands; undefined: another engine runs, or the program has no machine code. */
export function processorState(loaded: Loaded): Native | undefined {
  const { machine, cpu } = loaded;
  return cpu.progOrNone === undefined ? undefined : simulatedProcessor(loaded)?.at(machine, cpu.index);
}

/** Where it stands at a stop; undefined as above. */
export function nativePlace(loaded: Loaded): NativePlace | undefined {
  const n = processorState(loaded);
  if (n === undefined) return undefined;
  return { rip: nativeRegisters(n).rip, slots: slotsAt(n), hasMoved: n.hasMoved };
}

/** It stands in the middle of an instruction as loaded, where a native step or a breakpoint by address has left it. */
export function isAmidInsn(loaded: Loaded): boolean {
  const n = processorState(loaded);
  return n !== undefined && !isBetweenInsns(n);
}

function slotsAt({ func, at, arrive }: Native): readonly InsnIndex[] {
  if (arrive < 0) return [];
  const { start, end, prologueLen } = func.code;
  // In the prologue there is the first only, behind it the first when a jump leads there.
  if (at < prologueLen) return [arrive];
  const slots = [arrive];
  for (let slot = arrive + 1; slot < end && func.startOf(slot) === at; slot++) slots.push(slot);
  for (let slot = arrive - 1; slot > start && func.startOf(slot) === at; slot--) slots.push(slot);
  return slots;
}
