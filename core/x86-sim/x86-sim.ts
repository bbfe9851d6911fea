import type { Engine, RunLimits, StopCause } from '../interp/engine.ts';
import { beginChunk, runChunk, stateOf, stepToBreakpoint, stopped, takePause } from '../interp/loop.ts';
import { refresh } from '../interp/op.ts';
import { reference } from '../interp/reference.ts';
import { X86_PRESETS, type X86Config } from '../jit/x86-64/config.ts';
import type { Cpu } from '../vm/cpu.ts';
import * as layout from '../vm/layout.ts';
import type { Machine } from '../vm/machine.ts';
import { NativeStack } from './native-stack.ts';
import { type NativeProg, NativeText } from './native-text.ts';
import { execute, takeIn, writeBack } from './processor.ts';
import { rebuild } from './rebuild.ts';
import { type Native, takeRegisters } from './state.ts';

/** BPF instructions between two looks at the control word. */
const CHUNK = 32_768;

/** A processor as it was left, and of what state of the machine that was. */
interface Left {
  readonly n: Native;
  readonly key: string;
}

/**
 * Executes the machine code that the x86-64 JIT makes of a program, instruction by instruction: a debugging view and
 * an oracle. Programs that the JIT refuses are interpreted by `reference`, as the kernel does. Between runs all state
 * is the machine's, but for a processor that was stepped into the middle of an instruction.
 */
export class X86Sim implements Engine {
  readonly name = 'x86-64';
  readonly #config: X86Config;
  readonly #texts = new WeakMap<Machine, NativeText>();
  readonly #left = new WeakMap<Cpu, Left>();

  constructor(config: X86Config = X86_PRESETS['linux-6.18']) {
    this.#config = config;
  }

  /** The machine code in `machine`. */
  text(machine: Machine): NativeText {
    let text = this.#texts.get(machine);
    if (text === undefined) {
      text = new NativeText(machine, this.#config);
      this.#texts.set(machine, text);
    }
    return text;
  }

  /** As every engine; `limits` count instructions as loaded. */
  run(machine: Machine, cpu: number, limits: RunLimits): StopCause {
    if (limits.breakpoints) this.text(machine).patchSlots();
    const left = this.#leftOf(machine.cpu(cpu));
    const n = left !== undefined && !isAtSlot(left) ? resume(left) : this.#enter(machine, machine.cpu(cpu));
    return n === undefined ? reference.run(machine, cpu, limits) : this.#run(n, machine, cpu, limits);
  }

  /**
   * Executes one native instruction; `budget` where it did and could go on. Undefined, with nothing done: the program
   * has no machine code.
   */
  step(machine: Machine, cpu: number): StopCause | undefined {
    const left = this.#leftOf(machine.cpu(cpu));
    const n = left === undefined ? this.#enter(machine, machine.cpu(cpu)) : resume(left);
    if (n === undefined) return undefined;
    n.steps = 1;
    n.keeps = true;
    return this.#run(n, machine, cpu, { budget: Number.POSITIVE_INFINITY, breakpoints: false, resume: true });
  }

  /**
   * The processor as it stands, for looking at, with what a debugger has changed since; undefined: the program has no
   * machine code.
   */
  at(machine: Machine, cpu: number): Native | undefined {
    const it = machine.cpu(cpu);
    const left = this.#leftOf(it);
    if (left !== undefined) {
      // It may be executing: a log point asks. What has a value is not known to the machine then.
      takeRegisters(left);
      return left;
    }
    const n = this.#enter(machine, it);
    if (n !== undefined) this.#keep(n);
    return n;
  }

  /** The CPU begins another run: where the processor was left in the one before is of no meaning. */
  forget(cpu: Cpu): void {
    this.#left.delete(cpu);
  }

  #run(n: Native, machine: Machine, cpu: number, limits: RunLimits): StopCause {
    const { s } = n;
    let { budget } = limits;
    let resuming = limits.resume;
    n.over = resuming ? n.at : -1;
    n.hasMoved = !resuming;
    s.passes = limits.passes;
    for (;;) {
      if (takePause(s)) return this.#stopped(n, { kind: 'pause' });
      if (budget <= 0 && isBetweenInsns(n)) return this.#stopped(n, { kind: 'budget' });
      const chunk = Math.max(Math.min(CHUNK, budget), 0);
      s.left = chunk;
      s.chunk = chunk;
      execute(n, limits.breakpoints, resuming);
      resuming = false;
      if (s.stop !== undefined) return this.#stopped(n, s.stop);
      budget -= chunk - s.left;
      if (n.handOver) return this.#handOver(n, machine, cpu, { ...limits, budget, resume: false });
      if (n.steps <= 0) return this.#stopped(n, { kind: 'budget' });
      if (s.left === chunk) return this.#stopped(n, { kind: 'budget' });
      writeBack(n);
    }
  }

  /** The program arrived in has no machine code: interpreted to the end of the run, but not for a step. */
  #handOver(n: Native, machine: Machine, cpu: number, limits: RunLimits): StopCause {
    const { s } = n;
    const { view, block } = s;
    const executed = s.chunk - s.left;
    view.setUint32(block + layout.CPU_PC, n.arrive, true);
    view.setUint32(block + layout.CPU_INITIALISED, s.initialised, true);
    const at = block + layout.CPU_EXECUTED;
    view.setBigUint64(at, view.getBigUint64(at, true) + BigInt(executed), true);
    this.#left.delete(s.cpu);
    if (Number.isFinite(n.steps)) return { kind: 'budget' };
    return limits.budget > 0 ? reference.run(machine, cpu, limits) : endOfBudget(machine, s.cpu, limits);
  }

  #stopped(n: Native, cause: StopCause): StopCause {
    n.s.stop = cause.kind === 'exit' || cause.kind === 'fault' ? cause : undefined;
    writeBack(n);
    if (n.s.stop === undefined) this.#keep(n);
    else this.#left.delete(n.s.cpu);
    return cause;
  }

  #keep(n: Native): void {
    this.#left.set(n.s.cpu, { n, key: keyOf(n.s.cpu) });
  }

  /** The processor that was left in the state that the CPU is in now. */
  #leftOf(cpu: Cpu): Native | undefined {
    const left = this.#left.get(cpu);
    return left !== undefined && left.key === keyOf(cpu) ? left.n : undefined;
  }

  #enter(machine: Machine, cpu: Cpu): Native | undefined {
    const text = this.text(machine);
    const code = text.of(cpu.prog);
    if (code === undefined) return undefined;
    const n = newNative(machine, cpu, text, code);
    if (!rebuild(n)) return undefined;
    n.steps = Number.POSITIVE_INFINITY;
    n.keeps = text.hasAddressBreakpoints;
    takeIn(n);
    return n;
  }
}

/** What costs nothing is executed before a budget ends, by the interpreter here. */
function endOfBudget(machine: Machine, cpu: Cpu, { breakpoints, passes }: RunLimits): StopCause {
  const s = stateOf(machine, cpu);
  s.passes = passes;
  beginChunk(s, 0);
  const pc = breakpoints ? stepToBreakpoint(s, cpu.pc, false) : runChunk(s, cpu.pc);
  return s.stop ?? stopped(s, pc, { kind: 'budget' });
}

/** It stands where code of a slot begins: what the machine's state tells. */
function isAtSlot({ arrive, at, func }: Native): boolean {
  return arrive >= 0 && at >= func.code.prologueLen;
}

/** Whether the processor stands between two instructions as loaded, not in the middle of one. */
export function isBetweenInsns(n: Native): boolean {
  const op = n.s.ops[n.arrive];
  return op !== undefined && (op.cost === 1 || op.begun === 0);
}

/** With the addresses of Linux 6.18, as images are recorded. */
export const x86Sim = new X86Sim();

function resume(n: Native): Native {
  refresh(n.s);
  n.s.stop = undefined;
  n.steps = Number.POSITIVE_INFINITY;
  n.keeps = n.text.hasAddressBreakpoints;
  takeIn(n);
  return n;
}

/** What tells one state of a CPU from another. */
function keyOf(cpu: Cpu): string {
  return `${cpu.progOrNone?.id} ${cpu.pc} ${cpu.depth} ${cpu.tailCalls} ${cpu.insnsExecuted}`;
}

function newNative(machine: Machine, cpu: Cpu, text: NativeText, { main }: NativeProg): Native {
  const s = stateOf(machine, cpu);
  const info = main.info(0);
  const stack = new NativeStack((layout.WINDOW_HI + cpu.stackRegionId(0)) | 0);
  const flags = { zf: false, sf: false, cf: false, of: false };
  const place = { func: main, at: 0, cur: info.op, info, arrive: -1 };
  const rest = { lo: 0, hi: 0, jumped: false, hidden: 0, skip: false, handOver: false, steps: 0 };
  const watch = { obeys: false, over: -1, hasMoved: true, entered: false, keeps: false, edited: undefined };
  return {
    s,
    text,
    stack,
    regs: new Int32Array(32),
    ...flags,
    ...place,
    ...rest,
    ...watch,
    before: new Int32Array(32),
  };
}
