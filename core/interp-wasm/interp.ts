import type { Engine, RunLimits, StopCause } from '../interp/engine.ts';
import {
  beginChunk,
  finish,
  opAt,
  runChunk,
  stateOf,
  stepToBreakpoint,
  stopAtBreakpoint,
  stopped,
  takePause,
} from '../interp/loop.ts';
import { type ExecState, flush, type Op, passesBreakpoint, refresh, STOP } from '../interp/op.ts';
import { reference } from '../interp/reference.ts';
import type { Cpu } from '../vm/cpu.ts';
import type { Machine } from '../vm/machine.ts';
import { MemoryLimitError } from '../vm/memory.ts';
import type { ExecProg } from '../vm/program.ts';
import * as form from './code-layout.ts';
import { IMPORTS, RUN } from './emit.ts';
import { interpreterModule } from './modules.ts';
import { type ProgCode, patchBreakpoints, predecode } from './predecode.ts';

/** Instructions between two looks at the control word: about half a millisecond. */
const CHUNK = 262_144;
/** Up to so many instructions it is quicker not to enter the module. */
const FEW = 4;
/** So many that a run with breakpoints executes before it enters the module: the next one may be near. */
const NEAR = 16;

/**
 * The reference engine's semantics emitted as WebAssembly (`emit.ts`): it executes what it can in a loop of
 * its own, and lets the reference engine's handlers execute the rest, faulting instructions among it. The
 * state is the reference engine's, so that either can go on from where the other stopped. Where
 * WebAssembly modules cannot be compiled it is the reference engine (`interpreterProblem` says why).
 */
export const interp: Engine = {
  name: 'interp',
  run(machine: Machine, cpu: number, limits: RunLimits): StopCause {
    const runner = runnerOf(machine, machine.cpu(cpu));
    return runner === undefined ? reference.run(machine, cpu, limits) : runner.run(limits);
  },
};

interface MachineState {
  readonly runners: Map<number, Runner>;
  readonly progs: ProgCache;
}

const states = new WeakMap<Machine, MachineState>();

function runnerOf(machine: Machine, cpu: Cpu): Runner | undefined {
  let state = states.get(machine);
  if (state === undefined) {
    state = { runners: new Map(), progs: new ProgCache(machine) };
    states.set(machine, state);
  }
  let runner = state.runners.get(cpu.index);
  if (runner === undefined) {
    const module = interpreterModule(cpu.index, machine.memory.shared);
    if (!(module instanceof WebAssembly.Module)) return undefined;
    runner = new Runner(machine, cpu, module, state.progs);
    state.runners.set(cpu.index, runner);
  }
  return runner;
}

/** The programs of a machine as the interpreter reads them. */
class ProgCache {
  readonly #machine: Machine;
  readonly #codes = new Map<ExecProg, ProgCode>();

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** Undefined: there is no memory for it. */
  get(prog: ExecProg): ProgCode | undefined {
    const known = this.#codes.get(prog);
    if (known !== undefined) return known;
    this.#sweep();
    try {
      const code = predecode(this.#machine, prog);
      this.#codes.set(prog, code);
      return code;
    } catch (error) {
      if (error instanceof MemoryLimitError) return undefined;
      throw error;
    }
  }

  /** Nobody tells when a program is unloaded: seen when the next one comes. */
  #sweep(): void {
    for (const [prog, code] of this.#codes) {
      if (this.#machine.progs.get(prog.id) === prog) continue;
      this.#codes.delete(prog);
      this.#machine.memory.freeCache(code.at);
    }
  }
}

/** What a run in progress works on. A helper may run another program on the same CPU: then there are two. */
interface Run {
  readonly s: ExecState;
  readonly breakpoints: boolean;
  /** Undefined: the program `s` stands in is not to be had in that form. */
  code: ProgCode | undefined;
  /** Where to go on, when `step` has stopped the module without stopping the run. */
  pc: number;
}

/** What the module exports (`emit.ts`). */
type Enter = (ip: number, left: number, initialised: number) => number;

/** The interpreter of one CPU of a machine. */
class Runner {
  readonly #machine: Machine;
  readonly #cpu: Cpu;
  readonly #progs: ProgCache;
  readonly #enter: Enter;
  #run: Run | undefined;

  constructor(machine: Machine, cpu: Cpu, module: WebAssembly.Module, progs: ProgCache) {
    this.#machine = machine;
    this.#cpu = cpu;
    this.#progs = progs;
    const step = (ip: number, start: number, left: number, initialised: number): number =>
      this.#step(ip, start, left, initialised);
    const instance = new WebAssembly.Instance(module, { [IMPORTS]: { memory: machine.memory.wasm, step } });
    this.#enter = instance.exports[RUN] as Enter;
  }

  run(limits: RunLimits): StopCause {
    const outer = this.#run;
    const s = stateOf(this.#machine, this.#cpu);
    s.passes = limits.passes;
    this.#run = { s, breakpoints: limits.breakpoints, code: undefined, pc: s.cpu.pc };
    try {
      return this.#chunks(this.#run, limits);
    } finally {
      this.#run = outer;
      if (outer?.code !== undefined) this.#writeProgWords(outer.code.prog, outer.code);
    }
  }

  #chunks(run: Run, limits: RunLimits): StopCause {
    const { s } = run;
    let { budget, resume } = limits;
    let first = limits.breakpoints ? NEAR : 0;
    for (;;) {
      if (takePause(s)) return stopped(s, run.pc, { kind: 'pause' });
      if (budget <= 0) return stopped(s, run.pc, { kind: 'budget' });
      const isFirst = first > FEW;
      const chunk = Math.min(isFirst ? first : CHUNK, budget);
      beginChunk(s, chunk);
      if (isFirst || chunk <= FEW) this.#stepOut(run, resume);
      else this.#chunk(run);
      first = 0;
      resume = false;
      if (s.stop !== undefined) return s.stop;
      budget -= chunk;
      flush(s, run.pc, s.chunk - s.left);
    }
  }

  #chunk(run: Run): void {
    const { s } = run;
    opAt(s, run.pc);
    const code = this.#enterProg(run);
    if (code !== undefined) {
      const isWhole = this.#enter(code.at + (run.pc << form.OP_SHIFT), s.left, s.initialised) === 0;
      if (s.stop !== undefined) return;
      refresh(s);
      if (!isWhole) this.#readWords(run);
    }
    // The last run does not fit into what is left, or the program not into memory.
    this.#stepOut(run, false);
  }

  /** Executes the rest of the chunk as the reference engine does. */
  #stepOut(run: Run, resuming: boolean): void {
    const { s } = run;
    run.pc = run.breakpoints ? stepToBreakpoint(s, run.pc, resuming) : runChunk(s, run.pc);
  }

  /** Executes one op; the slot that follows, of no meaning after a stop. */
  #exec(s: ExecState, op: Op): number {
    s.left -= op.cost;
    const next = op.exec(s, op);
    if (next === STOP) return finish(s, op);
    s.initialised |= op.writes;
    return next;
  }

  /** What the module calls for an op that it does not execute itself. */
  #step(ip: number, start: number, left: number, initialised: number): number {
    const run = this.#run as Run;
    const code = run.code as ProgCode;
    const { s } = run;
    const slot = (ip - code.at) >> form.OP_SHIFT;
    const op = opAt(s, slot);
    s.left = left + s.view.getUint16(ip + form.OP_COST, true);
    s.initialised = initialised;
    for (let before = (start - code.at) >> form.OP_SHIFT; before < slot; before++) {
      s.initialised |= (code.ops[before] as Op).writes;
    }
    if (run.breakpoints && s.prog.breakpoints.bytes[slot] && !passesBreakpoint(s, slot)) {
      stopAtBreakpoint(s, slot);
      return 0;
    }
    const next = this.#exec(s, op);
    if (s.stop !== undefined) return 0;
    const after = s.prog === code.prog ? code : this.#enterProg(run);
    refresh(s);
    if (after === undefined) {
      run.pc = next;
      return 0;
    }
    s.view.setInt32(s.block + form.SCRATCH_LEFT, s.left, true);
    s.view.setUint32(s.block + form.SCRATCH_INITIALISED, s.initialised, true);
    return after.at + (next << form.OP_SHIFT);
  }

  /** Makes ready for the program that the run stands in. */
  #enterProg(run: Run): ProgCode | undefined {
    const { s } = run;
    const code = run.code?.prog === s.prog ? run.code : this.#progs.get(s.prog);
    run.code = code;
    refresh(s);
    if (code === undefined) return undefined;
    if (run.breakpoints) patchBreakpoints(this.#machine, code);
    this.#writeProgWords(s.prog, code);
    return code;
  }

  #writeProgWords(prog: ExecProg, code: ProgCode): void {
    const { view } = this.#machine.memory;
    const { block } = this.#cpu;
    const extended = prog.extensions === undefined || prog.extensions.size === 0 ? 0 : 1;
    const arenaHi = prog.arenaAddr === undefined ? 0 : Number(BigInt.asIntN(32, prog.arenaAddr >> 32n));
    view.setUint32(block + form.SCRATCH_OPS, code.at, true);
    view.setUint32(block + form.SCRATCH_EXTENDED, extended, true);
    view.setInt32(block + form.SCRATCH_ARENA_HI, arenaHi, true);
  }

  /** Takes over where the module stopped before a run that did not fit. */
  #readWords(run: Run): void {
    const { s } = run;
    const code = run.code as ProgCode;
    run.pc = (s.view.getUint32(s.block + form.SCRATCH_AT, true) - code.at) >> form.OP_SHIFT;
    s.left = s.view.getInt32(s.block + form.SCRATCH_LEFT, true);
    s.initialised = s.view.getUint32(s.block + form.SCRATCH_INITIALISED, true);
  }
}
