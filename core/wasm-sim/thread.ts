import { decodeProg } from '../interp/decode.ts';
import type { StopCause } from '../interp/engine.ts';
import { executeOne } from '../interp/execute-one.ts';
import type { InsnIndex } from '../isa/insn.ts';
import * as local from '../jit/wasm/locals.ts';
import { AX } from '../jit/wasm/ops.ts';
import type { Cpu } from '../vm/cpu.ts';
import * as layout from '../vm/layout.ts';
import type { Machine } from '../vm/machine.ts';
import { Activation } from './activation.ts';
import { evaluate, type Transfer } from './evaluate.ts';
import { WasmTrap } from './numeric.ts';
import { Overlay } from './overlay.ts';
import type { Rebuilder } from './rebuild.ts';

/** For tests: what code has come to. */
export type Witnessed =
  /** It has come to a slot, and the machine has executed what led there. */
  | {
      readonly kind: 'arrival';
      readonly cpu: Cpu;
      /** The machine is where the code is. */
      readonly isExpected: boolean;
      /** What the code has computed. */
      readonly activation: Activation;
      readonly written: ReadonlyMap<number, number>;
    }
  /** It could not go on, which compiled code always can. */
  | { readonly kind: 'trap'; readonly trap: WasmTrap };

/** Compiled code of one CPU as it stands, amid an instruction of the program or between two; executes it row by row. */
export class Thread {
  /** A step has led here; it does not just stand where the CPU does. */
  isStepped = false;
  readonly #machine: Machine;
  readonly #cpu: Cpu;
  readonly #rebuilder: Rebuilder;
  readonly #watch: ((witnessed: Witnessed) => void) | undefined;
  /** By depth: a compiled function for each frame of the program. */
  #frames: Activation[];
  /** The module's own functions that the innermost of them is in (`lookup`). */
  readonly #inner: Activation[] = [];
  /** What the code of the instruction under way has written; the machine's memory has none of it. */
  readonly #memory: Overlay;
  /** The instruction whose code is under way; undefined: code on the way to the CPU's pc is. */
  #pending: InsnIndex | undefined;
  #arrived: InsnIndex[] = [];
  /** Instructions as loaded that may be executed by now, as `Cpu.insnsExecuted` counts. */
  #limit = Number.POSITIVE_INFINITY;

  /** @param frames as `Rebuilder.rebuild` makes them, at least one. */
  constructor(
    machine: Machine,
    cpu: Cpu,
    rebuilder: Rebuilder,
    frames: Activation[],
    watch?: (witnessed: Witnessed) => void,
  ) {
    this.#machine = machine;
    this.#cpu = cpu;
    this.#rebuilder = rebuilder;
    this.#frames = frames;
    this.#memory = new Overlay(machine.memory);
    this.#watch = watch;
  }

  /** What is executed. Throws RangeError where nothing is (`isNowhere`). */
  get top(): Activation {
    const top = this.#inner.at(-1) ?? this.#frames.at(-1);
    if (top === undefined) throw new RangeError('no code is executed');
    return top;
  }

  /** Compiled code does not go where the CPU is now. */
  get isNowhere(): boolean {
    return this.#frames.length === 0;
  }

  /** Slots that the last step has come to, in this order. */
  get arrived(): readonly InsnIndex[] {
    return this.#arrived;
  }

  /** The program has come to these slots by other means than a step. */
  set arrived(slots: readonly InsnIndex[]) {
    this.#arrived = [...slots];
  }

  /**
   * Executes one row; `over`: with the module's own function that it calls. `left`: instructions as loaded that may be
   * executed (a function that is written where it is called has several). What ends the run; undefined: nothing does.
   */
  step(over: boolean, left: number): StopCause | undefined {
    this.isStepped = true;
    this.#arrived = [];
    this.#limit = Number(this.#cpu.insnsExecuted) + left;
    const depth = this.#inner.length;
    let cause: StopCause | undefined;
    do cause = this.#row();
    while (over && cause === undefined && this.#inner.length > depth);
    return cause;
  }

  #row(): StopCause | undefined {
    if (this.#inner.length === 0) {
      const cause = this.#begin();
      if (cause !== undefined || this.#isAtLimit) return cause;
    }
    const { top } = this;
    const { flagsAt } = top.code.module.program;
    // The instruction is stepped, whether a breakpoint is set there or not.
    const pending = this.#pending;
    this.#memory.zeroAt = flagsAt === undefined || pending === undefined ? undefined : flagsAt + pending;
    let transfer: Transfer | undefined;
    try {
      transfer = evaluate(top, this.#memory);
    } catch (error) {
      if (!(error instanceof WasmTrap)) throw error;
      this.#watch?.({ kind: 'trap', trap: error });
      return this.#leaveToEngine();
    }
    if (transfer?.kind === 'call') return this.#call(transfer.func);
    if (transfer?.kind === 'return') return this.#return(Number(transfer.results[0] ?? 0));
    return this.#inner.length === 0 ? this.#arrive() : undefined;
  }

  /** The code of the instruction that the machine stands at begins, where its first row is next. */
  #begin(): StopCause | undefined {
    const { code, row } = this.top;
    const slots = code.slotsAt(row);
    const cause = this.#passEmpty(slots);
    if (this.#cpu.pc === slots.at(-1)) this.#pending = this.#cpu.pc;
    return cause;
  }

  /** Code has come to a row of a compiled function: does an instruction begin there? */
  #arrive(): StopCause | undefined {
    const { top } = this;
    const slots = top.code.slotsAt(top.row);
    if (slots.length === 0) return undefined;
    const cause = this.#executePending();
    if (cause !== undefined) return cause;
    const cpu = this.#cpu;
    const isExpected = slots.includes(cpu.pc) && cpu.depth === this.#frames.length - 1;
    const { written } = this.#memory;
    this.#watch?.({ kind: 'arrival', cpu, isExpected, activation: top, written });
    if (!isExpected) return this.#rebuild();
    const stop = this.#passEmpty(slots);
    this.#settle();
    for (let reg = 0; reg <= AX; reg++) top.locals[local.reg(reg)] = BigInt.asIntN(64, cpu.readReg(reg));
    return stop;
  }

  /**
   * Has the machine execute what code is over with: of a function that was written where it is called all of it, but no
   * more than may be executed.
   */
  #executePending(): StopCause | undefined {
    if (this.#pending === undefined) return undefined;
    const cpu = this.#cpu;
    const depth = this.#frames.length - 1;
    let cause = executeOne(this.#machine, cpu);
    while (cause === undefined && cpu.depth > depth && Number(cpu.insnsExecuted) < this.#limit) {
      cause = executeOne(this.#machine, cpu);
    }
    this.#arrived = [cpu.pc];
    return cause;
  }

  /** In this step instructions were executed, and no more may be. */
  get #isAtLimit(): boolean {
    return this.#arrived.length > 0 && Number(this.#cpu.insnsExecuted) >= this.#limit;
  }

  /** Has the machine execute instructions that have no code of their own, up to the last one that begins in a row. */
  #passEmpty(slots: readonly InsnIndex[]): StopCause | undefined {
    const cpu = this.#cpu;
    while (slots.includes(cpu.pc) && cpu.pc !== slots.at(-1) && !this.#isAtLimit) {
      const cause = executeOne(this.#machine, cpu);
      if (cause !== undefined) return cause;
      this.#arrived.push(cpu.pc);
    }
    return undefined;
  }

  #call(index: number): StopCause | undefined {
    const { top } = this;
    const { module } = top.code;
    if (module.isStep(index)) return this.#stepInEngine();
    const func = module.func(index);
    if (func === undefined) throw new RangeError(`a function is called that is not there: ${index}`);
    const called = new Activation(func, top.take(func.nParams));
    if (func.compiled === undefined) {
      this.#inner.push(called);
      return undefined;
    }
    const cause = this.#executeAndSettle();
    if (cause !== undefined) return cause;
    const cpu = this.#cpu;
    const isExpected = cpu.depth === this.#frames.length && cpu.pc === func.compiled.start;
    if (!isExpected) return this.#rebuild();
    this.#frames.push(called);
    return undefined;
  }

  /** The imported function is called: it does the instruction, and says whether it leads to the one behind it. */
  #stepInEngine(): StopCause | undefined {
    const cpu = this.#cpu;
    const { prog, depth } = cpu;
    const behind = decodeProg(prog)[cpu.pc]?.next;
    this.top.take(1);
    const cause = this.#executeAndSettle();
    if (cause !== undefined) return cause;
    if (cpu.pc !== behind || cpu.prog !== prog || cpu.depth !== depth) return this.#rebuild();
    this.top.push(0);
    return undefined;
  }

  #return(result: number): StopCause | undefined {
    const ended = this.#inner.pop();
    if (ended !== undefined) {
      if (ended.code.nResults > 0) this.top.push(result);
      return undefined;
    }
    if (result === local.LEFT_EARLY) return this.#leave();
    const cause = this.#executeAndSettle();
    if (cause !== undefined) return cause;
    this.#frames.pop();
    if (this.isNowhere || this.#cpu.depth !== this.#frames.length - 1) return this.#rebuild();
    this.top.push(result);
    return undefined;
  }

  /** Code was left before its end: the engine takes over, and enters it again where it can. */
  #leave(): StopCause | undefined {
    const { block } = this.#cpu;
    const at = Number(this.#memory.read(block + layout.CPU_PC, 4));
    const isRare = this.#memory.read(block + local.CPU_INTERPRET, 4) !== 0n;
    if (at === this.#pending) return this.#leaveToEngine();
    const cause = this.#executePending();
    if (cause !== undefined) return cause;
    return isRare ? this.#leaveToEngine() : this.#rebuild();
  }

  /** Has the engine execute the instruction that the machine stands at, and goes on from there. */
  #leaveToEngine(): StopCause | undefined {
    return executeOne(this.#machine, this.#cpu) ?? this.#rebuild();
  }

  #executeAndSettle(): StopCause | undefined {
    const cause = executeOne(this.#machine, this.#cpu);
    this.#arrived = [this.#cpu.pc];
    this.#settle();
    return cause;
  }

  /** Nothing is under way any more; what was written is the machine's. */
  #settle(): void {
    this.#pending = undefined;
    this.#memory.clear();
  }

  #rebuild(): undefined {
    this.#arrived = [this.#cpu.pc];
    this.#frames = this.#rebuilder.rebuild(this.#cpu) ?? [];
    this.#inner.length = 0;
    this.#settle();
  }
}
