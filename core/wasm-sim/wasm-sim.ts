import { decodeProg } from '../interp/decode.ts';
import type { StopCause } from '../interp/engine.ts';
import { executeOne } from '../interp/execute-one.ts';
import type { InsnIndex } from '../isa/insn.ts';
import { BPF_REG_FP } from '../isa/registers.ts';
import { type WasmImage, wasmImage, whyNotCompiled } from '../jit/wasm/engine.ts';
import * as local from '../jit/wasm/locals.ts';
import { AX } from '../jit/wasm/ops.ts';
import type { Cpu, FrameView } from '../vm/cpu.ts';
import * as layout from '../vm/layout.ts';
import type { Machine } from '../vm/machine.ts';
import { Activation } from './activation.ts';
import { evaluate } from './evaluate.ts';
import { i32, WasmTrap } from './numeric.ts';
import { Rebuilder } from './rebuild.ts';
import { Thread } from './thread.ts';

/** Where the code of a CPU stands. */
export interface WasmPlace {
  /** Of the WebAssembly instruction that is executed next, as `WasmImage` counts. */
  readonly address: bigint;
  /** Slots of the rewritten program that the last step has come to: they are executed next. */
  readonly arrived: readonly InsnIndex[];
  /** What it is in: a function's locals and operand stack. */
  readonly activation: Activation;
}

/** For tests: compiled code has come to a slot, and the machine has executed what led there. */
export interface Arrival {
  readonly cpu: Cpu;
  /** The machine is where the code is. */
  readonly isExpected: boolean;
  /** What the code has computed. */
  readonly activation: Activation;
  readonly written: ReadonlyMap<number, number>;
}

/** Most instructions of functions that are written where they are called (`core/jit/wasm/inlining.ts`), and more. */
const MAX_INLINED = 1000;

/**
 * Steps through the WebAssembly that the engine `wasm` executes, instruction by instruction: a host cannot stop amid
 * compiled code, so the code is evaluated. What an instruction of the program does is not done by that: its code works on
 * a copy of what it writes, and once it has come to the next instruction, the machine executes the one that is over, by
 * the handler of `reference`. So the machine always stands between two instructions of the rewritten program, every
 * engine can go on from it, and what was evaluated is dropped by whoever changes or executes anything meanwhile.
 *
 * Code is stepped through as it is where no breakpoint is set: the test of the instruction's own flag finds none.
 */
export class WasmSim {
  readonly #rebuilders = new WeakMap<Machine, Rebuilder>();
  readonly #left = new WeakMap<Cpu, { readonly thread: Thread; readonly key: string }>();
  readonly #watch: ((arrival: Arrival) => void) | undefined;

  /** @param watch for tests: told of each slot that code comes to. */
  constructor(watch?: (arrival: Arrival) => void) {
    this.#watch = watch;
  }

  /** Whether the program that a CPU stands in is stepped: it is compiled, and R10 is its frame's end. */
  canStep(machine: Machine, cpu: Cpu): boolean {
    const prog = cpu.progOrNone;
    return prog !== undefined && isFramePointer(cpu) && imageOf(machine, prog) !== undefined;
  }

  /**
   * Executes one WebAssembly instruction; `budget` where it did and the program can go on. `over`: with the module's own
   * function (`lookup`) that it calls. Undefined, with nothing done: the program is not compiled.
   */
  step(machine: Machine, index: number, over = false): StopCause | undefined {
    const cpu = machine.cpu(index);
    if (!this.canStep(machine, cpu)) return undefined;
    const thread = this.#thread(machine, cpu);
    this.#left.delete(cpu);
    // It stands where compiled code does not go.
    if (thread === undefined) return executeOne(machine, cpu) ?? { kind: 'budget' };
    const depth = thread.inner.length;
    let cause: StopCause | undefined;
    thread.arrived = [];
    do cause = this.#row(machine, cpu, thread);
    while (over && cause === undefined && thread.inner.length > depth);
    thread.isStepped = true;
    if (cause === undefined) this.#keep(cpu, thread);
    return cause ?? { kind: 'budget' };
  }

  /** Where the code was left by the last step; undefined: something else was executed or changed since. */
  stepped(machine: Machine, cpu: Cpu): WasmPlace | undefined {
    const thread = this.#leftOf(machine, cpu);
    return thread?.isStepped ? place(machine, cpu, thread) : undefined;
  }

  /** Where the code stands, for looking at; undefined: the program is not compiled, or not there. */
  at(machine: Machine, cpu: Cpu): WasmPlace | undefined {
    const thread = this.canStep(machine, cpu) ? this.#thread(machine, cpu) : undefined;
    if (thread === undefined) return undefined;
    this.#keep(cpu, thread);
    return place(machine, cpu, thread);
  }

  /** The CPU begins another run: where code was left in the one before is of no meaning. */
  forget(cpu: Cpu): void {
    this.#left.delete(cpu);
  }

  /** The CPU has just come back from a call: the code stands behind it, not yet at the instruction that follows. */
  standBehindCall(machine: Machine, cpu: Cpu): void {
    if (!this.canStep(machine, cpu)) return;
    const frames = this.#rebuilder(machine).rebuild(cpu, imageIn(machine), true);
    if (frames === undefined) return;
    const thread = new Thread(machine, frames);
    thread.isStepped = true;
    thread.arrived = [cpu.pc];
    this.#keep(cpu, thread);
  }

  /** Evaluates one row, and has the machine do what is over by then. */
  #row(machine: Machine, cpu: Cpu, thread: Thread): StopCause | undefined {
    try {
      const { top, memory } = thread;
      if (thread.inner.length === 0) {
        const cause = this.#begin(machine, cpu, thread);
        if (cause !== undefined) return cause;
      }
      const { flagsAt } = top.code.module.program;
      const { pending } = thread;
      memory.zeroAt = flagsAt === undefined || pending === undefined ? undefined : flagsAt + pending;
      const transfer = evaluate(top, memory);
      if (transfer?.kind === 'call') return this.#call(machine, cpu, thread, transfer.func);
      if (transfer?.kind === 'return')
        return this.#return(machine, cpu, thread, i32(transfer.results[0] ?? 0));
      return thread.inner.length === 0 ? this.#arrive(machine, cpu, thread) : undefined;
    } catch (error) {
      if (!(error instanceof WasmTrap)) throw error;
      return executeOne(machine, cpu) ?? this.#rebuild(machine, cpu, thread);
    }
  }

  /** The code of the instruction that the machine stands at begins, where its first row is next. */
  #begin(machine: Machine, cpu: Cpu, thread: Thread): StopCause | undefined {
    const { code, row } = thread.top;
    const slots = code.slotsAt(row);
    const cause = passEmpty(machine, cpu, thread, slots);
    if (slots.includes(cpu.pc)) thread.pending = cpu.pc;
    return cause;
  }

  /** Code has come to a row of a compiled function: does an instruction begin there? */
  #arrive(machine: Machine, cpu: Cpu, thread: Thread): StopCause | undefined {
    const { top } = thread;
    const slots = top.code.slotsAt(top.row);
    if (slots.length === 0) return undefined;
    const cause = this.#executePending(machine, cpu, thread);
    if (cause !== undefined) return cause;
    const isExpected = slots.includes(cpu.pc) && cpu.depth === thread.frames.length - 1;
    this.#watch?.({ cpu, isExpected, activation: top, written: thread.memory.written });
    if (!isExpected) return this.#rebuild(machine, cpu, thread);
    const stop = passEmpty(machine, cpu, thread, slots);
    thread.settle();
    takeRegisters(top, cpu);
    return stop;
  }

  /** Has the machine execute what code is over with; a function that was written where it is called to its end. */
  #executePending(machine: Machine, cpu: Cpu, thread: Thread): StopCause | undefined {
    if (thread.pending === undefined) return undefined;
    const depth = thread.frames.length - 1;
    let cause = executeOne(machine, cpu);
    for (let n = 0; cause === undefined && cpu.depth > depth && n < MAX_INLINED; n++) {
      cause = executeOne(machine, cpu);
    }
    thread.arrived = [cpu.pc];
    return cause;
  }

  #call(machine: Machine, cpu: Cpu, thread: Thread, index: number): StopCause | undefined {
    const { top } = thread;
    const { module } = top.code;
    const func = module.func(index);
    if (func === undefined) {
      if (!module.isStep(index)) throw new WasmTrap('a function is called that is not there');
      return this.#stepInEngine(machine, cpu, thread);
    }
    const called = new Activation(func, top.take(func.nParams));
    if (func.compiled === undefined) {
      thread.inner.push(called);
      return undefined;
    }
    const cause = executeOne(machine, cpu);
    if (cause !== undefined) return cause;
    thread.arrived = [cpu.pc];
    thread.settle();
    const isExpected = cpu.depth === thread.frames.length && cpu.pc === func.compiled.start;
    if (!isExpected) return this.#rebuild(machine, cpu, thread);
    thread.frames.push(called);
    return undefined;
  }

  /** The imported function is called: it does the instruction, and says whether it leads to the one behind it. */
  #stepInEngine(machine: Machine, cpu: Cpu, thread: Thread): StopCause | undefined {
    const { top } = thread;
    const { prog, depth } = cpu;
    const behind = decodeProg(prog)[cpu.pc]?.next;
    top.take(1);
    const cause = executeOne(machine, cpu);
    if (cause !== undefined) return cause;
    thread.arrived = [cpu.pc];
    thread.settle();
    if (cpu.pc !== behind || cpu.prog !== prog || cpu.depth !== depth) {
      return this.#rebuild(machine, cpu, thread);
    }
    top.push(0);
    return undefined;
  }

  #return(machine: Machine, cpu: Cpu, thread: Thread, result: number): StopCause | undefined {
    const { inner, frames } = thread;
    const ended = inner.pop();
    if (ended !== undefined) {
      if (ended.code.nResults > 0) thread.top.push(result);
      return undefined;
    }
    if (result === local.LEFT_EARLY) return this.#leave(machine, cpu, thread);
    const cause = executeOne(machine, cpu);
    if (cause !== undefined) return cause;
    frames.pop();
    thread.arrived = [cpu.pc];
    thread.settle();
    if (frames.length === 0 || cpu.depth !== frames.length - 1) return this.#rebuild(machine, cpu, thread);
    thread.top.push(result);
    return undefined;
  }

  /** Code was left before its end: the engine takes over, and enters it again where it can. */
  #leave(machine: Machine, cpu: Cpu, thread: Thread): StopCause | undefined {
    const { memory, pending } = thread;
    const at = Number(memory.read(cpu.block + layout.CPU_PC, 4));
    const isRare = memory.read(cpu.block + local.CPU_INTERPRET, 4) !== 0n;
    const cause = at === pending ? undefined : this.#executePending(machine, cpu, thread);
    if (cause !== undefined) return cause;
    if (!isRare && at !== pending) return this.#rebuild(machine, cpu, thread);
    return executeOne(machine, cpu) ?? this.#rebuild(machine, cpu, thread);
  }

  #rebuild(machine: Machine, cpu: Cpu, thread: Thread): undefined {
    thread.arrived = [cpu.pc];
    thread.replace(this.#rebuilder(machine).rebuild(cpu, imageIn(machine)) ?? []);
  }

  #thread(machine: Machine, cpu: Cpu): Thread | undefined {
    const left = this.#leftOf(machine, cpu);
    if (left !== undefined) return left;
    const frames = this.#rebuilder(machine).rebuild(cpu, imageIn(machine));
    return frames === undefined ? undefined : new Thread(machine, frames);
  }

  #leftOf(machine: Machine, cpu: Cpu): Thread | undefined {
    const left = this.#left.get(cpu);
    if (left === undefined || left.key !== keyOf(cpu)) return undefined;
    const { thread } = left;
    const isCurrent = thread.frames.at(-1)?.code.module.program === imageOf(machine, cpu.prog)?.program;
    return isCurrent ? thread : undefined;
  }

  #keep(cpu: Cpu, thread: Thread): void {
    if (thread.frames.length > 0) this.#left.set(cpu, { thread, key: keyOf(cpu) });
  }

  #rebuilder(machine: Machine): Rebuilder {
    let rebuilder = this.#rebuilders.get(machine);
    if (rebuilder === undefined) {
      rebuilder = new Rebuilder(machine);
      this.#rebuilders.set(machine, rebuilder);
    }
    return rebuilder;
  }
}

/** The one that sessions step with. */
export const wasmSim = new WasmSim();

function place(machine: Machine, cpu: Cpu, { top, arrived }: Thread): WasmPlace | undefined {
  const image = imageOf(machine, cpu.prog);
  if (image === undefined) return undefined;
  return { address: image.imageAddr + BigInt(top.code.offset(top.row)), arrived, activation: top };
}

/** The code that is executed for `prog`; undefined: it is interpreted. */
function imageOf(machine: Machine, prog: Cpu['prog']): WasmImage | undefined {
  const image = wasmImage(machine, prog);
  return 'reason' in image || whyNotCompiled(machine, prog) !== undefined ? undefined : image;
}

function imageIn(machine: Machine): (frame: FrameView) => WasmImage | undefined {
  return ({ prog }) => imageOf(machine, prog);
}

/** Has the machine execute instructions that have no code of their own, up to the last one that begins in a row. */
function passEmpty(
  machine: Machine,
  cpu: Cpu,
  thread: Thread,
  slots: readonly InsnIndex[],
): StopCause | undefined {
  while (slots.includes(cpu.pc) && cpu.pc !== slots.at(-1)) {
    const cause = executeOne(machine, cpu);
    if (cause !== undefined) return cause;
    thread.arrived.push(cpu.pc);
  }
  return undefined;
}

function takeRegisters({ locals }: Activation, cpu: Cpu): void {
  for (let reg = 0; reg <= AX; reg++) locals[local.reg(reg)] = BigInt.asIntN(64, cpu.readReg(reg));
}

/** Compiled code takes R10 for the end of its frame; only a debugger can make it anything else. */
function isFramePointer(cpu: Cpu): boolean {
  return cpu.readReg(BPF_REG_FP) === cpu.frames()[0]?.fp;
}

/** What tells one state of a CPU from another. */
function keyOf(cpu: Cpu): string {
  const registers = Array.from({ length: AX + 1 }, (_, reg) => cpu.readReg(reg));
  return `${cpu.progOrNone?.id} ${cpu.pc} ${cpu.depth} ${cpu.tailCalls} ${cpu.insnsExecuted} ${registers}`;
}
