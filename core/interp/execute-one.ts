import type { Cpu } from '../vm/cpu.ts';
import * as layout from '../vm/layout.ts';
import type { Machine } from '../vm/machine.ts';
import { decodeProg } from './decode.ts';
import type { StopCause } from './engine.ts';
import { beginChunk, finish, opAt, stateOf } from './loop.ts';
import { flush, isAmid, STOP } from './op.ts';

/**
 * Executes the instruction of the rewritten program that a CPU stands at, by the handler of `reference`: also one amid
 * those that an instruction as loaded became. What ends the run; undefined: nothing does.
 */
export function executeOne(machine: Machine, cpu: Cpu): StopCause | undefined {
  const s = stateOf(machine, cpu);
  const op = opAt(s, cpu.pc);
  beginChunk(s, 1);
  s.left -= op.cost;
  const next = op.exec(s, op);
  if (next !== STOP) {
    s.initialised |= op.writes;
    flush(s, next, s.chunk - s.left);
    return undefined;
  }
  finish(s, op);
  if (s.stop?.kind === 'fault' && isAmid(op)) uncount(s.view, cpu.block);
  return s.stop;
}

/** Whether a CPU stands amid what an instruction as loaded became: its first part has been executed. */
export function isAmidLoaded(cpu: Cpu): boolean {
  const op = decodeProg(cpu.prog)[cpu.pc];
  return op !== undefined && isAmid(op);
}

/** Executes the rest of what an instruction as loaded became; `budget` where it did, nothing where there is none. */
export function executeRest(machine: Machine, cpu: Cpu): StopCause {
  while (isAmidLoaded(cpu)) {
    const cause = executeOne(machine, cpu);
    if (cause !== undefined) return cause;
  }
  return { kind: 'budget' };
}

/** An instruction as loaded that faults was not executed, though its first part had been counted. */
function uncount(view: DataView, block: number): void {
  const at = block + layout.CPU_EXECUTED;
  view.setBigUint64(at, view.getBigUint64(at, true) - 1n, true);
}
