import type { RunInput } from '../../ctx/input.ts';
import { prepareInput } from '../../ctx/setup.ts';
import type { Engine, RunLimits, StopCause } from '../../interp/engine.ts';
import { bpfTraceRun } from '../../prog/bpf-trace-run.ts';
import type { Cpu } from '../../vm/cpu.ts';
import type { Machine } from '../../vm/machine.ts';
import { insnText, type Loaded, placeText as sourcePlace } from '../loaded.ts';

/** One of the machines that are kept in step. */
export type Side = Pick<Loaded, 'machine' | 'cpu' | 'main' | 'programs'>;

/** Makes a machine with the program loaded; each time the same. */
export type MakeSide = () => Loaded;

/** Why an engine stopped; `failed`: it threw, which no engine should. */
export type SideCause = StopCause | { readonly kind: 'failed'; readonly message: string };

/** `x.bpf.s:12:3, r3 += r1` */
export function placeText({ cpu, programs }: Side): string {
  const program = programs.get(cpu.prog.id);
  const pc = cpu.prog.origIdx[cpu.pc] ?? 0;
  if (program === undefined) return `slot ${cpu.pc} of ${cpu.prog.name}`;
  return `${sourcePlace(program, pc)}, ${insnText(program, pc)}`;
}

/** A machine with the engine that executes in it, and what a run on an input needs around it. */
export class LockstepSide {
  readonly loaded: Loaded;
  engine: Engine;
  #end: () => void = () => {};

  constructor(loaded: Loaded, engine: Engine) {
    this.loaded = loaded;
    this.engine = engine;
  }

  get machine(): Machine {
    return this.loaded.machine;
  }

  get cpu(): Cpu {
    return this.loaded.cpu;
  }

  /** Instructions executed on the current input; exact up to 2^53. */
  get executed(): number {
    return Number(this.cpu.insnsExecuted);
  }

  /** Ends the run on the input before, and puts the CPU before the first instruction. */
  enter(input: RunInput): void {
    this.leave();
    const { machine, cpu, main } = this.loaded;
    machine.output.length = 0;
    const prepared = prepareInput(machine, cpu.index, main.prog, input);
    const left = bpfTraceRun(machine, main.prog, cpu.index);
    this.#end = () => {
      // In the order in which run control does it: windows are given out by it.
      prepared.dispose();
      left();
    };
    machine.enter(cpu, main.prog, prepared.r1, prepared.r2);
  }

  /** Ends the run on the current input, if there is one. */
  leave(): void {
    this.#end();
    this.#end = () => {};
  }

  run(limits: RunLimits, engine: Engine = this.engine): SideCause {
    try {
      return engine.run(this.machine, this.cpu.index, limits);
    } catch (error) {
      return { kind: 'failed', message: error instanceof Error ? error.message : String(error) };
    }
  }

  /**
   * Executes up to `count` instructions on the current input in all; what has stopped it, `budget` when it got there.
   * `breakpoints`: as if there were some, though none is set.
   */
  runTo(count: number, breakpoints: boolean, engine: Engine = this.engine): SideCause {
    for (;;) {
      const budget = count - this.executed;
      if (budget <= 0) return { kind: 'budget' };
      const cause = this.run({ budget, breakpoints, resume: true }, engine);
      if (cause.kind !== 'budget' && cause.kind !== 'breakpoint') return cause;
    }
  }
}
