import { decodeProg } from '../../interp/decode.ts';
import type { ExecState } from '../../interp/op.ts';
import type { Machine } from '../../vm/machine.ts';
import type { ExecProg } from '../../vm/program.ts';
import type { CodeCache } from './code-cache.ts';
import {
  type AccessChecks,
  type CompiledProgram,
  compileEntry,
  compileProgram,
  isUsable,
  type NotCompiled,
} from './compile.ts';
import { type DebugImage, debugImage, isDebugImage } from './debug-image.ts';
import { Execution } from './execution.ts';

/** A compiled function: CPU block, instructions left, call depth, registers with a value → instructions left, or LEFT_EARLY. */
export type Compiled = (block: number, left: number, depth: number, init: number) => number;

/** Somewhere that compiled code takes over. */
export interface Entry {
  readonly run: Compiled;
  /** Instructions that must be left. */
  readonly needs: number;
}

/**
 * From a loop head, or from behind a call, code is compiled when it is reached for the second time, if it is short. Else
 * so many instructions must have been interpreted from there on for each that is compiled: that takes about as long.
 */
const SHORT = 100;
const PRICE_OF_OP = 64;
/**
 * The same for any other slot that interpreting begins at again and again, as behind a breakpoint: not before compiled
 * code has had every chance elsewhere, and where more than some instructions follow until it takes over.
 */
const PRICE_AMID = 256;
const WORTH_COMPILING = 8;

/** Does one instruction in the reference engine; 0: it leads to the one behind it, which is compiled code's again. */
export type Step = (slot: number) => number;

/** Compiled code of one program in one machine. */
export class InstalledProgram {
  readonly program: CompiledProgram;
  /** Where it is debuggable. */
  readonly image: DebugImage | undefined;
  readonly #machine: Machine;
  readonly #prog: ExecProg;
  readonly #step: Step;
  readonly #cache: CodeCache;
  readonly #functions: Readonly<Record<string, WebAssembly.Func>>;
  readonly #entries = new Map<number, Entry | undefined>();
  /** Instructions that were interpreted from a slot on. */
  readonly #spent = new Map<number, number>();

  private constructor(
    machine: Machine,
    prog: ExecProg,
    code: CompiledProgram | DebugImage,
    step: Step,
    cache: CodeCache,
    instance: WebAssembly.Instance,
  ) {
    this.image = 'flags' in code ? code : undefined;
    this.program = 'flags' in code ? code.program : code;
    this.#machine = machine;
    this.#prog = prog;
    this.#step = step;
    this.#cache = cache;
    this.#functions = instance.exports as Record<string, WebAssembly.Func>;
    for (const { start, name, needs } of this.program.functions) {
      this.#entries.set(start, { run: this.#functions[name] as Compiled, needs });
    }
  }

  /** Compiles and installs `prog`, as debuggable code (its checks are precise) or not, or says why not. Never throws. */
  static install(
    machine: Machine,
    prog: ExecProg,
    debuggable: boolean,
    step: Step,
    cache: CodeCache,
    checks: AccessChecks,
  ): InstalledProgram | NotCompiled {
    const code = debuggable ? debugImage(machine, prog) : compileProgram(machine, prog, undefined, checks);
    if ('reason' in code) return code;
    try {
      const module = cache.module('flags' in code ? code.program.bytes : code.bytes);
      const instance = new WebAssembly.Instance(module, {
        engine: { memory: machine.memory.wasm, step },
      });
      return new InstalledProgram(machine, prog, code, step, cache, instance);
    } catch (error) {
      return { reason: `${prog.name}: the host refuses its code: ${messageOf(error)}` };
    }
  }

  /** Whether the code still is that of the program in the machine. */
  get isCurrent(): boolean {
    if (!isUsable(this.program, this.#machine, this.#prog)) return false;
    return this.image === undefined || isDebugImage(this.#machine, this.#prog, this.image);
  }

  /** Whether debuggable code is left in front of `slot`: a breakpoint is set there or soon behind it. */
  isFlagged(slot: number): boolean {
    return this.image?.flags.isSet(slot) ?? false;
  }

  /** Makes debuggable code see the breakpoint bytes as they are now. */
  showBreakpoints(): void {
    this.image?.flags.show(this.#prog, decodeProg(this.#prog));
  }

  /** Compiled code that begins at `slot`, if it pays to have some; undefined: go on interpreting. */
  entry(slot: number): Entry | undefined {
    const known = this.#entries.get(slot);
    if (known !== undefined || this.#entries.has(slot)) return known;
    const spent = this.#spent.get(slot);
    if (spent === undefined || spent < this.#priceAt(slot)) return undefined;
    const entry = this.#compile(slot);
    this.#entries.set(slot, entry);
    return entry;
  }

  /** From `slot` on so many instructions were interpreted until compiled code took over, or something stopped them. */
  interpreted(slot: number, count: number): void {
    if (this.program.entries[slot] === 0 && count <= WORTH_COMPILING) return;
    this.#spent.set(slot, (this.#spent.get(slot) ?? 0) + count);
  }

  /** Instructions that can be interpreted in the time that it takes to compile from `slot` on. */
  #priceAt(slot: number): number {
    const size = this.program.entryOps[slot] ?? 0;
    return size > 0 ? (size - SHORT) * PRICE_OF_OP : this.#sizeAt(slot) * PRICE_AMID;
  }

  /** Instructions of the function that `slot` lies in. */
  #sizeAt(slot: number): number {
    const { functions } = this.program;
    let size = 0;
    let start = 0;
    for (const each of functions) {
      if (each.start > slot || each.start < start) continue;
      start = each.start;
      size = each.offsets.length;
    }
    return size;
  }

  #compile(slot: number): Entry | undefined {
    const compiled = compileEntry(this.#machine, this.#prog, this.program, slot);
    if ('reason' in compiled) return undefined;
    try {
      const module = this.#cache.module(compiled.bytes);
      const callees = Object.fromEntries(compiled.callees.map((name) => [name, this.#function(name)]));
      const instance = new WebAssembly.Instance(module, {
        engine: { memory: this.#machine.memory.wasm, step: this.#step, ...callees },
      });
      return { run: instance.exports[compiled.name] as Compiled, needs: compiled.needs };
    } catch {
      return undefined;
    }
  }

  #function(name: string): WebAssembly.Func {
    const found = this.#functions[name];
    if (found === undefined) throw new RangeError(`no compiled function ${name}`);
    return found;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Compiled programs of one machine, and what executes them. */
export class Installed {
  /** State of the run under way: what `step` works on. */
  current: ExecState | undefined;
  /** Instructions that were not executed by compiled code, since the machine was made. */
  interpreted = 0;
  readonly #machine: Machine;
  readonly #step: Step;
  readonly #cache: CodeCache;
  readonly #checks: AccessChecks;
  readonly #plain = new WeakMap<ExecProg, InstalledProgram | NotCompiled>();
  readonly #executions: (Execution | undefined)[] = [];
  readonly #debuggable = new WeakMap<ExecProg, InstalledProgram | NotCompiled>();

  constructor(
    machine: Machine,
    cache: CodeCache,
    step: (state: ExecState, slot: number) => number,
    checks: AccessChecks,
  ) {
    this.#machine = machine;
    this.#cache = cache;
    this.#checks = checks;
    this.#step = (slot) => {
      const state = this.current;
      if (state === undefined) throw new Error('compiled code runs without an engine');
      return step(state, slot);
    };
  }

  /** What executes on CPU `cpu`, when it is not busy. Throws RangeError for a CPU that is not in a program. */
  execution(cpu: number): Execution {
    let execution = this.#executions[cpu];
    if (execution === undefined || execution.isBusy) {
      execution = new Execution(this, this.#machine.cpu(cpu), this.#machine);
      this.#executions[cpu] ??= execution;
    }
    return execution;
  }

  /** Compiled code of `prog`, debuggable or not, made when it is asked for first; or why there is none. */
  program(prog: ExecProg, debuggable: boolean): InstalledProgram | NotCompiled {
    const programs = debuggable ? this.#debuggable : this.#plain;
    const known = programs.get(prog);
    if (known !== undefined && ('reason' in known || known.isCurrent)) return known;
    const [machine, step, cache, checks] = [this.#machine, this.#step, this.#cache, this.#checks];
    const made = InstalledProgram.install(machine, prog, debuggable, step, cache, checks);
    programs.set(prog, made);
    return made;
  }
}
