import type { TracingLink } from '../prog/bpf-tracing-prog-attach.ts';
import { extendProgram, unloadPrograms } from '../prog/extend.ts';
import type { BpfProg } from '../prog/prog.ts';
import { ProgramSet } from '../prog/program-set.ts';
import type { NativeArch } from '../protocol/jit.ts';
import type { Machine } from '../vm/machine.ts';
import { MemoryLimitError } from '../vm/memory.ts';
import type { DebugProgram, Loaded } from './loaded.ts';
import { type NativeCodeResult, nativeCodeForShow } from './native-code.ts';

/**
 * Most instructions of a session, as loaded, whose programs are loaded once more for show: docs/debugging.md tells what
 * that takes. A worker that runs out of memory ends, and the session with it.
 */
export const MAX_SHOWN_INSNS = 500_000;

/**
 * The programs of a session with their constants blinded where the session's are not, and the other way round: in a
 * machine of their own, without a compiler, and with what does not depend on it taken from the session. Nothing runs them.
 */
export class OtherBlinding {
  readonly #machine: Machine;
  /** By the program of the session. */
  readonly #programs = new Map<DebugProgram, DebugProgram>();
  readonly #links: TracingLink[] = [];
  #main: BpfProg | undefined;

  private constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** Loads them in the order of the session, so that keys and ids are those of a session that is launched with it; or says why not. */
  static load(loaded: Loaded, newMachine: () => Machine): OtherBlinding | { readonly message: string } {
    const programs = [...loaded.programs.values()];
    const count = programs.reduce((sum, { prog }) => sum + prog.insns.length / 8, 0);
    if (count > MAX_SHOWN_INSNS) {
      const { blinded } = loaded.main.prog;
      const most = MAX_SHOWN_INSNS.toLocaleString('en');
      return {
        message: `too long to be loaded twice (${count.toLocaleString('en')} instructions, at most ${most}): launch with "blind": ${!blinded} to see it`,
      };
    }
    try {
      const other = new OtherBlinding(newMachine());
      const message = other.#load(programs);
      if (message === undefined) return other;
      other.dispose();
      return { message: `cannot be loaded with the other blinding: ${message}` };
    } catch (error) {
      if (!(error instanceof MemoryLimitError || error instanceof RangeError)) throw error;
      return { message: `cannot be loaded with the other blinding: ${error.message}` };
    }
  }

  /** What has become of a program of the session. */
  program(of: DebugProgram): DebugProgram | undefined {
    return this.#programs.get(of);
  }

  /** Its native code. */
  code(program: DebugProgram, arch: NativeArch): NativeCodeResult {
    return nativeCodeForShow({ machine: this.#machine, cpu: this.#machine.cpu(0) }, program, arch);
  }

  /** Frees them. */
  dispose(): void {
    const main = this.#main;
    if (main === undefined) return;
    const extensions = new Set(this.#links.map(({ prog }) => prog));
    const others = [...this.#programs.values()].map(({ prog }) => prog);
    const beside = others.filter((prog) => prog !== main && !extensions.has(prog));
    unloadPrograms(this.#machine, main, beside, this.#links);
    this.#main = undefined;
    this.#programs.clear();
  }

  /** Why one of them is refused; undefined: all are there. */
  #load(programs: readonly DebugProgram[]): string | undefined {
    const set = new ProgramSet(this.#machine);
    for (const program of programs) {
      const { attr, lines } = program;
      const isExtension = attr.progType === 'ext' && this.#main !== undefined;
      const result = isExtension ? this.#extend(set, program) : set.load(attr);
      if (result === undefined) continue;
      if (!result.ok) return `${attr.name}: ${result.refusal.message}`;
      this.#main ??= result.prog;
      this.#programs.set(program, { prog: result.prog, attr, lines });
    }
    return undefined;
  }

  #extend(set: ProgramSet, { attr }: DebugProgram) {
    if (this.#main === undefined) return undefined;
    const result = extendProgram(this.#machine, set, this.#main, attr);
    if (result.ok) this.#links.push(result.link);
    return result;
  }
}
