import type { StopCause } from '../interp/engine.ts';
import { executeOne } from '../interp/execute-one.ts';
import type { InsnIndex } from '../isa/insn.ts';
import { BPF_REG_FP } from '../isa/registers.ts';
import { showBreakpoints } from '../jit/wasm/engine.ts';
import { AX } from '../jit/wasm/ops.ts';
import type { Cpu } from '../vm/cpu.ts';
import type { Machine } from '../vm/machine.ts';
import type { Activation } from './activation.ts';
import { imageOf, Rebuilder } from './rebuild.ts';
import { Thread, type Witnessed } from './thread.ts';

/** Where the code of a CPU stands. */
export interface WasmPlace {
  /** Of the WebAssembly instruction that is executed next, as `WasmImage` counts. */
  readonly address: bigint;
  /**
   * Slots of the rewritten program that the last step has come to, in this order: those in front of the last one have no
   * code. Behind a WebAssembly call or return there is more code in front of the last one, too.
   */
  readonly arrived: readonly InsnIndex[];
  /** What it is in: a function's locals and operand stack. */
  readonly activation: Activation;
}

/**
 * Steps through the WebAssembly that the engine `wasm` executes, instruction by instruction: a host cannot stop amid
 * compiled code, so the code is evaluated. What an instruction of the program does is not done by that: its code works on
 * a copy of what it writes, and once it has come to the next instruction, the machine executes the one that is over, by
 * the handler of `reference`. So the machine always stands between two instructions of the rewritten program, and every
 * engine can go on from it. What was evaluated is dropped when something else is executed, or a register is changed.
 *
 * Code is stepped through as it is where no breakpoint is set: the test of the instruction's own flag finds none.
 */
export class WasmSim {
  readonly #rebuilders = new WeakMap<Machine, Rebuilder>();
  /** Threads as they were left, each with the state of its CPU then. */
  readonly #stood = new WeakMap<Cpu, { readonly thread: Thread; readonly key: string }>();
  readonly #watch: ((witnessed: Witnessed) => void) | undefined;

  /** @param watch for tests: told what code comes to. */
  constructor(watch?: (witnessed: Witnessed) => void) {
    this.#watch = watch;
  }

  /** Whether the program that a CPU stands in is stepped: it is compiled, and R10 is its frame's end. */
  canStep(machine: Machine, cpu: Cpu): boolean {
    const prog = cpu.progOrNone;
    return prog !== undefined && isFramePointer(cpu) && imageOf(machine, prog) !== undefined;
  }

  /**
   * Executes one WebAssembly instruction; `budget` where it did and the program can go on. `over`: with the module's own
   * function (`lookup`) that it calls. `left`: instructions as loaded that may be executed, at least 1; more than one is
   * where a function is written where it is called. Undefined, with nothing done: the program is not compiled.
   */
  step(
    machine: Machine,
    cpu: Cpu,
    { over = false, left = Number.POSITIVE_INFINITY } = {},
  ): StopCause | undefined {
    if (!this.canStep(machine, cpu)) return undefined;
    const thread = this.#thread(machine, cpu);
    this.#stood.delete(cpu);
    // It stands where compiled code does not go.
    if (thread === undefined) return executeOne(machine, cpu) ?? { kind: 'budget' };
    showBreakpoints(machine, cpu.prog);
    const cause = thread.step(over, left);
    if (cause !== undefined) return cause;
    this.#keep(cpu, thread);
    return { kind: 'budget' };
  }

  /** Where the code was left by the last step; undefined: something else was executed or changed since. */
  stepped(machine: Machine, cpu: Cpu): WasmPlace | undefined {
    const thread = this.#standing(machine, cpu);
    return thread?.isStepped ? place(machine, cpu, thread) : undefined;
  }

  /** Where the code stands, for looking at; undefined: the program is not compiled, or not there. */
  at(machine: Machine, cpu: Cpu): WasmPlace | undefined {
    const thread = this.canStep(machine, cpu) ? this.#thread(machine, cpu) : undefined;
    if (thread === undefined) return undefined;
    this.#keep(cpu, thread);
    return place(machine, cpu, thread);
  }

  /** The CPU begins another run, or its memory was changed: what was evaluated is of no meaning. */
  forget(cpu: Cpu): void {
    this.#stood.delete(cpu);
  }

  /** The CPU has just come back from a call: the code stands behind it, not yet at the instruction that follows. */
  standBehindCall(machine: Machine, cpu: Cpu): void {
    const thread = this.canStep(machine, cpu) ? this.#newThread(machine, cpu, true) : undefined;
    if (thread === undefined) return;
    thread.isStepped = true;
    thread.arrived = [cpu.pc];
    this.#keep(cpu, thread);
  }

  #thread(machine: Machine, cpu: Cpu): Thread | undefined {
    return this.#standing(machine, cpu) ?? this.#newThread(machine, cpu);
  }

  #newThread(machine: Machine, cpu: Cpu, isBehindCall = false): Thread | undefined {
    let rebuilder = this.#rebuilders.get(machine);
    if (rebuilder === undefined) {
      rebuilder = new Rebuilder(machine);
      this.#rebuilders.set(machine, rebuilder);
    }
    const frames = rebuilder.rebuild(cpu, isBehindCall);
    return frames && new Thread(machine, cpu, rebuilder, frames, this.#watch);
  }

  #standing(machine: Machine, cpu: Cpu): Thread | undefined {
    const stood = this.#stood.get(cpu);
    if (stood === undefined || stood.key !== keyOf(cpu)) return undefined;
    const { thread } = stood;
    // Its module is another one once maps have moved.
    return thread.top.code.module.program === imageOf(machine, cpu.prog)?.program ? thread : undefined;
  }

  #keep(cpu: Cpu, thread: Thread): void {
    if (!thread.isNowhere) this.#stood.set(cpu, { thread, key: keyOf(cpu) });
  }
}

/** The one that sessions step with. */
export const wasmSim = new WasmSim();

function place(machine: Machine, cpu: Cpu, { top, arrived }: Thread): WasmPlace | undefined {
  const image = imageOf(machine, cpu.prog);
  if (image === undefined) return undefined;
  return { address: image.imageAddr + BigInt(top.code.offset(top.row)), arrived, activation: top };
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
