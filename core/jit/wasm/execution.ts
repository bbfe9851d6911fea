import type { RunLimits, StopCause } from '../../interp/engine.ts';
import {
  beginChunk,
  finish,
  opAt,
  stateOf,
  stopAtBreakpoint,
  stopped,
  takePause,
} from '../../interp/loop.ts';
import { type ExecState, flush, isAmid, type Op, passesBreakpoint, refresh, STOP } from '../../interp/op.ts';
import { interp } from '../../interp-wasm/interp.ts';
import type { Cpu } from '../../vm/cpu.ts';
import * as layout from '../../vm/layout.ts';
import type { Machine } from '../../vm/machine.ts';
import type { Compiled, Installed, InstalledProgram } from './installed.ts';
import { CPU_INTERPRET, CPU_LEFT, FRAME_UNSAVED, LEFT_EARLY } from './locals.ts';

/**
 * Instructions between two looks at the control word: some tens of microseconds. Loops are left and entered again that
 * often, so that the host's better code takes over without replacing code that runs.
 */
const SLICE = 1 << 18;

/**
 * Executes compiled code on one CPU where it can, and everything else by the reference engine's handlers. One run at a
 * time: where a helper runs a program on the same CPU, that is another's.
 */
export class Execution {
  /** A run is under way. */
  isBusy = false;
  readonly s: ExecState;
  readonly #code: Installed;
  #breakpoints = false;
  /** The first instruction is still to come, in front of which nothing stops. */
  #passing = false;
  /** Compiled code of the program that `s` stands in. */
  #program: InstalledProgram | undefined;

  constructor(code: Installed, cpu: Cpu, machine: Machine) {
    this.#code = code;
    this.s = stateOf(machine, cpu);
  }

  /** As `Engine.run`. */
  run(limits: RunLimits): StopCause {
    const { s } = this;
    takeState(s);
    s.passes = limits.passes;
    let { pc } = s.cpu;
    this.#breakpoints = limits.breakpoints;
    const mayStop = s.prog.breakpoints.bytes[pc] !== 0 || s.ops[pc]?.begun === 0;
    this.#passing = limits.breakpoints && limits.resume && mayStop;
    let { budget } = limits;
    this.#enterProg();
    for (;;) {
      if (!isAmid(opAt(s, pc)) && takePause(s)) return stopped(s, pc, { kind: 'pause' });
      if (budget <= 0) return stopped(s, pc, { kind: 'budget' });
      const slice = Math.min(SLICE, budget);
      beginChunk(s, slice);
      pc = this.#slice(pc, slice === budget);
      if (s.stop !== undefined) return s.stop;
      budget -= slice - s.left;
      flush(s, pc, s.chunk - s.left);
    }
  }

  /** Looks for compiled code of the program that `s` stands in. */
  #enterProg(): void {
    const { prog } = this.s;
    this.#program = undefined;
    // Its functions may be those of another program.
    if (isExtended(prog)) return;
    const program = this.#code.program(prog, this.#breakpoints);
    refresh(this.s);
    if ('reason' in program) return;
    program.showBreakpoints();
    this.#program = program;
  }

  /**
   * Executes up to `left` instructions, or fewer where compiled code can go on with a new slice; the slot to go
   * on from (`stop` says whether). `isLast`: the budget ends with this slice.
   */
  #slice(from: number, isLast: boolean): number {
    const { s } = this;
    const whole = s.left;
    for (let pc = from; ; ) {
      const { prog } = s;
      const program = this.#program;
      if (s.left === 0) {
        // What comes costs nothing, else the loop had ended: the next slice begins with it, but the budget ends behind it.
        if (!isLast) return pc;
        pc = this.#interpret(pc, undefined);
      } else if (program === undefined || !isFramePointer(s)) {
        return this.#sliceElsewhere(pc);
      } else {
        const entry = this.#passing || program.isFlagged(pc) ? undefined : program.entry(pc);
        if (entry !== undefined && s.left >= entry.needs) pc = this.#enter(entry.run, pc);
        else if (entry !== undefined && s.left < whole) return pc;
        // Too little is left for compiled code even in a whole slice: the budget ends here.
        else pc = this.#interpret(pc, entry === undefined ? program : undefined);
      }
      if (s.stop !== undefined) return pc;
      const op = opAt(s, pc);
      if (op.cost > s.left || (isPauseAsked(s) && !isAmid(op))) return pc;
      if (s.prog !== prog) this.#enterProg();
    }
  }

  /** Has the rest of the slice interpreted: there is no compiled code for where it stands. */
  #sliceElsewhere(pc: number): number {
    const { s } = this;
    flush(s, pc, s.chunk - s.left);
    const stop = interp.run(s.machine, s.cpu.index, {
      budget: s.left,
      breakpoints: this.#breakpoints,
      resume: this.#passing,
      passes: s.passes,
    });
    this.#passing = false;
    s.left = 0;
    s.chunk = 0;
    takeState(s);
    if (stop.kind === 'budget') this.#enterProg();
    else s.stop = stop;
    return s.cpu.pc;
  }

  /** Calls compiled code at `pc`; the slot to go on from. */
  #enter(compiled: Compiled, pc: number): number {
    const { s } = this;
    const { block, view } = s;
    view.setUint32(block + layout.CPU_PC, pc, true);
    view.setUint32(block + CPU_INTERPRET, 0, true);
    const depth = view.getUint32(block + layout.CPU_DEPTH, true);
    const left = compiled(block, s.left, depth, s.initialised);
    refresh(s);
    if (left === LEFT_EARLY) completeRecords(s, depth);
    const at = s.view.getUint32(block + layout.CPU_PC, true);
    if (s.stop !== undefined) return at;
    s.initialised = s.view.getUint32(block + layout.CPU_INITIALISED, true);
    if (left !== LEFT_EARLY) {
      // The exit has been counted.
      s.left = left;
      return execute(s, opAt(s, at));
    }
    s.left = s.view.getInt32(block + CPU_LEFT, true);
    if (s.view.getUint32(block + CPU_INTERPRET, true) === 0) return at;
    const op = opAt(s, at);
    s.left -= op.cost;
    return execute(s, op);
  }

  /**
   * Interprets until code of `program`, if given, could take over, nothing is left, or something stops it; the slot to
   * go on from.
   */
  #interpret(from: number, program: InstalledProgram | undefined): number {
    const { s } = this;
    const { prog } = s;
    const entries = program?.program.entries;
    let before = s.left;
    let start = from;
    let pc = from;
    for (;;) {
      const op = opAt(s, pc);
      if (op.cost > s.left) break;
      let isBehind = this.#passing;
      if (this.#breakpoints && !isBehind && prog.breakpoints.bytes[pc]) {
        if (!passesBreakpoint(s, pc)) {
          pc = stopAtBreakpoint(s, pc);
          break;
        }
        isBehind = true;
      }
      // What a function begins with in addition stands in front of its first instruction.
      if (op.begun === 1) this.#passing = false;
      s.left -= op.cost;
      pc = execute(s, op);
      if (s.stop !== undefined || s.prog !== prog) break;
      if (this.#passing) continue;
      if (entries?.[pc]) break;
      if (!isBehind) continue;
      // Behind a breakpoint code may begin anywhere.
      if (program?.entry(pc) !== undefined) break;
      this.#code.interpreted += before - s.left;
      before = s.left;
      start = pc;
    }
    this.#code.interpreted += before - s.left;
    program?.interpreted(start, before - s.left);
    return pc;
  }
}

/** Takes the state anew from memory, for another run. */
function takeState(s: ExecState): void {
  const { prog } = s.cpu;
  if (prog !== s.prog) {
    s.prog = prog;
    s.ops = s.decode(prog);
  }
  s.initialised = s.cpu.regInitialised;
  s.stop = undefined;
  refresh(s);
}

/** A program that was extended is interpreted, because its functions may be those of another program. */
export function isExtended({ extensions }: ExecState['prog']): boolean {
  return extensions !== undefined && extensions.size > 0;
}

/** Does the instruction at `slot` for compiled code; 0: it leads to the one behind it, and nobody asks for a pause. */
export function step(s: ExecState, slot: number): number {
  const { block, prog } = s;
  s.left = s.view.getInt32(block + CPU_LEFT, true);
  s.initialised = s.view.getUint32(block + layout.CPU_INITIALISED, true);
  const op = opAt(s, slot);
  const next = op.exec(s, op);
  if (next === STOP) {
    finish(s, op);
    return 1;
  }
  s.initialised |= op.writes;
  s.view.setUint32(block + layout.CPU_INITIALISED, s.initialised, true);
  // Even where it leads on: code that was left at this instruction goes on from there.
  s.view.setUint32(block + layout.CPU_PC, next, true);
  return next === op.next && s.prog === prog && !isPauseAsked(s) ? 0 : 1;
}

function isPauseAsked({ view, block }: ExecState): boolean {
  return view.getInt32(block + layout.CPU_CONTROL, true) !== layout.CONTROL_GO;
}

/** Compiled code takes R10 for the end of its frame; only a debugger can make it anything else. */
function isFramePointer({ view, block }: ExecState): boolean {
  const id =
    view.getUint32(block + layout.CPU_STACK_REGION, true) + view.getUint32(block + layout.CPU_DEPTH, true);
  return (
    view.getInt32(block + layout.CPU_R10, true) === layout.MAX_BPF_STACK &&
    view.getInt32(block + layout.CPU_R10 + 4, true) === ((layout.WINDOW_HI + id) | 0)
  );
}

/** Fills in what functions that were left did not have in hand for the records of frames inside frame `outer`. */
function completeRecords({ view, block }: ExecState, outer: number): void {
  const depth = view.getUint32(block + layout.CPU_DEPTH, true);
  for (let inner = outer + 1; inner <= depth; inner++) {
    const record = layout.frameRecord(block, inner);
    const unsaved = view.getUint32(record + FRAME_UNSAVED, true);
    if (unsaved === 0) continue;
    view.setUint32(record + FRAME_UNSAVED, 0, true);
    for (let reg = 6; reg <= 9; reg++) {
      if ((unsaved & (1 << reg)) === 0) continue;
      const value = view.getBigUint64(block + layout.regOffset(reg), true);
      view.setBigUint64(record + layout.FRAME_SAVED + (reg - 6) * 8, value, true);
    }
  }
}

/** Has one instruction, which has been counted, done by the reference engine; the slot to go on from. */
function execute(s: ExecState, op: Op): number {
  const next = op.exec(s, op);
  if (next === STOP) return finish(s, op);
  s.initialised |= op.writes;
  return next;
}
