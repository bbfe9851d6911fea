import type { ExecState } from '../../interp/op.ts';
import type { Machine } from '../../vm/machine.ts';
import type { ExecProg } from '../../vm/program.ts';
import type { CodeCache } from './code-cache.ts';
import { type CompiledProgram, compileEntry, compileProgram, type NotCompiled } from './compile.ts';

/** A compiled function: CPU block, instructions left, call depth, registers with a value → instructions left, or LEFT_EARLY. */
export type Compiled = (block: number, left: number, depth: number, init: number) => number;

/** Somewhere that compiled code takes over. */
export interface Entry {
  readonly run: Compiled;
  /** Instructions that must be left. */
  readonly needs: number;
}

/** Times that interpreted code comes to a slot in a loop until compiled code begins there. */
const WARM = 2;

/** Does one instruction in the reference engine; 0: it leads to the one behind it, which is compiled code's again. */
export type Step = (slot: number) => number;

/** Compiled code of one program in one machine. */
export class InstalledProgram {
  readonly program: CompiledProgram;
  readonly #machine: Machine;
  readonly #prog: ExecProg;
  readonly #step: Step;
  readonly #cache: CodeCache;
  readonly #functions: Readonly<Record<string, WebAssembly.Func>>;
  readonly #entries = new Map<number, Entry | undefined>();
  readonly #visits = new Map<number, number>();

  private constructor(
    machine: Machine,
    prog: ExecProg,
    program: CompiledProgram,
    step: Step,
    cache: CodeCache,
    instance: WebAssembly.Instance,
  ) {
    this.program = program;
    this.#machine = machine;
    this.#prog = prog;
    this.#step = step;
    this.#cache = cache;
    this.#functions = instance.exports as Record<string, WebAssembly.Func>;
    for (const { start, name, needs } of program.functions) {
      this.#entries.set(start, { run: this.#functions[name] as Compiled, needs });
    }
  }

  /** Compiles and installs `prog`, or says why not. Never throws. */
  static install(
    machine: Machine,
    prog: ExecProg,
    step: Step,
    cache: CodeCache,
  ): InstalledProgram | NotCompiled {
    const program = compileProgram(machine, prog);
    if ('reason' in program) return program;
    try {
      const module = cache.module(program.bytes);
      const instance = new WebAssembly.Instance(module, {
        engine: { memory: machine.memory.wasm, step },
      });
      return new InstalledProgram(machine, prog, program, step, cache, instance);
    } catch (error) {
      return { reason: `${prog.name}: the host refuses its code: ${messageOf(error)}` };
    }
  }

  /** Whether the code still is that of the machine: maps are known in it by their addresses. */
  get isCurrent(): boolean {
    for (const [id, map] of this.program.maps) if (this.#machine.maps.get(id) !== map) return false;
    return true;
  }

  /** Compiled code that begins at `slot`; undefined: there is none, go on interpreting. */
  entry(slot: number): Entry | undefined {
    if (this.program.entries[slot] === 0) return undefined;
    if (this.#entries.has(slot)) return this.#entries.get(slot);
    const visits = (this.#visits.get(slot) ?? 0) + 1;
    this.#visits.set(slot, visits);
    if (visits < WARM) return undefined;
    const entry = this.#compile(slot);
    this.#entries.set(slot, entry);
    return entry;
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

/** Compiled programs of one machine, and the run that is under way. */
export class Installed {
  /** State of the run under way: what `step` works on. */
  current: ExecState | undefined;
  readonly #machine: Machine;
  readonly #step: Step;
  readonly #cache: CodeCache;
  readonly #programs = new WeakMap<ExecProg, InstalledProgram | NotCompiled>();

  constructor(machine: Machine, cache: CodeCache, step: (state: ExecState, slot: number) => number) {
    this.#machine = machine;
    this.#cache = cache;
    this.#step = (slot) => {
      const state = this.current;
      if (state === undefined) throw new Error('compiled code runs without an engine');
      return step(state, slot);
    };
  }

  /** Compiled code of `prog`, made when it is asked for first; or why there is none. */
  program(prog: ExecProg): InstalledProgram | NotCompiled {
    const known = this.#programs.get(prog);
    if (known !== undefined && ('reason' in known || known.isCurrent)) return known;
    const made = InstalledProgram.install(this.#machine, prog, this.#step, this.#cache);
    this.#programs.set(prog, made);
    return made;
  }
}
