import type { Cpu } from '../vm/cpu.ts';
import * as layout from '../vm/layout.ts';
import type { Machine } from '../vm/machine.ts';
import { decodeProg } from './decode.ts';
import type { Engine, RunLimits, StopCause } from './engine.ts';
import { type ExecState, flush, type Op, refresh, STOP } from './op.ts';

/** Instructions between two looks at the control word: about half a millisecond. */
const CHUNK = 32_768;

/**
 * The readable definition of what instructions do, over the machine's linear memory. Between runs it
 * keeps nothing but predecoded programs: all state is the machine's.
 */
export const reference: Engine = {
  name: 'reference',
  run(machine: Machine, cpu: number, limits: RunLimits): StopCause {
    const s = stateOf(machine, machine.cpu(cpu));
    let pc = s.cpu.pc;
    let budget = limits.budget;
    let resuming = limits.resume;
    for (;;) {
      if (takePause(s)) return stopped(s, pc, { kind: 'pause' });
      if (budget <= 0) return stopped(s, pc, { kind: 'budget' });
      const chunk = Math.min(CHUNK, budget);
      s.left = chunk;
      s.chunk = chunk;
      pc = limits.breakpoints ? stepToBreakpoint(s, pc, resuming) : runChunk(s, pc);
      resuming = false;
      if (s.stop !== undefined) return s.stop;
      budget -= chunk;
      flush(s, pc, s.chunk - s.left);
    }
  },
};

function stateOf(machine: Machine, cpu: Cpu): ExecState {
  const { prog } = cpu;
  const { memory } = machine;
  const fresh = { view: memory.view, table: 0, nRegions: 0, left: 0, chunk: 0, stop: undefined };
  const initialised = cpu.regInitialised;
  const program = { prog, ops: decodeProg(prog), decode: decodeProg };
  const s: ExecState = { machine, cpu, block: cpu.block, ...program, initialised, ...fresh };
  refresh(s);
  return s;
}

/**
 * Executes until `left` is used up or something stops it; the slot to go on from (`stop` says whether). An
 * instruction as loaded that became several is executed whole: nobody sees the machine in its middle.
 */
function runChunk(s: ExecState, from: number): number {
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

/** The same, looking for a breakpoint before each slot: a loop of its own, so that a plain run pays nothing for it. */
function stepToBreakpoint(s: ExecState, from: number, resuming: boolean): number {
  let pc = from;
  let passing = resuming;
  for (;;) {
    const op = opAt(s, pc);
    if (op.cost > s.left) return pc;
    if (!passing && s.prog.breakpoints[pc]) {
      flush(s, pc, s.chunk - s.left);
      s.stop = { kind: 'breakpoint' };
      return pc;
    }
    // What a function begins with in addition stands in front of its first instruction.
    if (op.begun === 1) passing = false;
    s.left -= op.cost;
    const next = op.exec(s, op);
    if (next === STOP) return finish(s, op);
    s.initialised |= op.writes;
    pc = next;
  }
}

function opAt(s: ExecState, pc: number): Op {
  const op = s.ops[pc];
  if (op === undefined) throw new RangeError(`no slot ${pc} in program ${s.prog.name}`);
  return op;
}

/** Writes back the state of a run that ended at `op`: an instruction that faults was not executed. */
function finish(s: ExecState, op: Op): number {
  if (s.stop?.kind === 'fault') s.left += op.begun;
  flush(s, op.slot, s.chunk - s.left);
  return op.slot;
}

function stopped(s: ExecState, pc: number, cause: StopCause): StopCause {
  flush(s, pc, 0);
  return cause;
}

/** Answers a request to pause, once. */
function takePause(s: ExecState): boolean {
  const word = (s.block + layout.CPU_CONTROL) >> 2;
  const before = Atomics.exchange(s.machine.memory.words, word, layout.CONTROL_GO);
  return before === layout.CONTROL_PAUSE;
}
