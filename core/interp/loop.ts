import type { Cpu } from '../vm/cpu.ts';
import * as layout from '../vm/layout.ts';
import type { Machine } from '../vm/machine.ts';
import { decodeProg } from './decode.ts';
import type { StopCause } from './engine.ts';
import { type ExecState, flush, type Op, passesBreakpoint, refresh, STOP } from './op.ts';

/** What every engine that executes `Op`s has in common: state at hand, execution of one, the ends of a run. */

/** The state of `cpu` as it stands in memory. */
export function stateOf(machine: Machine, cpu: Cpu): ExecState {
  const { prog } = cpu;
  const { memory } = machine;
  const fresh = {
    view: memory.view,
    table: 0,
    nRegions: 0,
    left: 0,
    chunk: 0,
    stop: undefined,
    passes: undefined,
  };
  const initialised = cpu.regInitialised;
  const program = { prog, ops: decodeProg(prog), decode: decodeProg };
  const s: ExecState = { machine, cpu, block: cpu.block, ...program, initialised, ...fresh };
  refresh(s);
  return s;
}

/** Begins to count `n` more instructions. */
export function beginChunk(s: ExecState, n: number): void {
  s.left = n;
  s.chunk = n;
}

/**
 * Executes until `left` is used up or something stops it; the slot to go on from (`stop` says whether). An
 * instruction as loaded that became several is executed whole: nobody sees the machine in its middle.
 */
export function runChunk(s: ExecState, from: number): number {
  let pc = from;
  for (;;) {
    const op = opAt(s, pc);
    if (op.cost > s.left) return pc;
    s.left -= op.cost;
    const next = op.exec(s, op);
    if (next === STOP) return finish(s, op);
    s.initialised |= op.writes;
    pc = next;
  }
}

/**
 * `runChunk`, looking for a breakpoint before each slot: a loop of its own, so that a plain run pays nothing
 * for it. `resuming`: not before the first instruction.
 */
export function stepToBreakpoint(s: ExecState, from: number, resuming: boolean): number {
  let pc = from;
  let passing = resuming;
  for (;;) {
    const op = opAt(s, pc);
    if (op.cost > s.left) return pc;
    if (!passing && s.prog.breakpoints.bytes[pc] && !passesBreakpoint(s, pc)) return stopAtBreakpoint(s, pc);
    // What a function begins with in addition stands in front of its first instruction.
    if (op.begun === 1) passing = false;
    s.left -= op.cost;
    const next = op.exec(s, op);
    if (next === STOP) return finish(s, op);
    s.initialised |= op.writes;
    pc = next;
  }
}

/** The op at slot `pc`. Throws RangeError when the program does not have that slot. */
export function opAt(s: ExecState, pc: number): Op {
  const op = s.ops[pc];
  if (op === undefined) throw new RangeError(`no slot ${pc} in program ${s.prog.name}`);
  return op;
}

/** Writes back the state of a run that ended at `op`: an instruction that faults was not executed. */
export function finish(s: ExecState, op: Op): number {
  if (s.stop?.kind === 'fault') s.left += op.begun;
  flush(s, op.slot, s.chunk - s.left);
  return op.slot;
}

/** Ends the run before slot `pc`, whose breakpoint byte is set. */
export function stopAtBreakpoint(s: ExecState, pc: number): number {
  flush(s, pc, s.chunk - s.left);
  s.stop = { kind: 'breakpoint' };
  return pc;
}

/** Writes back the state of a run that ended between chunks. */
export function stopped(s: ExecState, pc: number, cause: StopCause): StopCause {
  flush(s, pc, 0);
  return cause;
}

/** Answers a request to pause, once. */
export function takePause(s: ExecState): boolean {
  const word = (s.block + layout.CPU_CONTROL) >> 2;
  const before = Atomics.exchange(s.machine.memory.words, word, layout.CONTROL_GO);
  return before === layout.CONTROL_PAUSE;
}
