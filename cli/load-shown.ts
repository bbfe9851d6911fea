import { linkProgram } from '#core/object/link.ts';
import type { BpfObject, LoadAttr } from '#core/object/object.ts';
import type { JitCompiler } from '#core/prog/bpf-int-jit-compile.ts';
import type { BpfProg, LoadResult } from '#core/prog/load.ts';
import { ProgramSet } from '#core/prog/program-set.ts';
import type { Machine } from '#core/vm/machine.ts';
import type { Io } from './io.ts';
import type { Source } from './source.ts';

/**
 * Loads programs of one object whose code is shown, not run. Its program arrays stay empty: what is in them makes no
 * difference to the code of those that call through them. An extension is loaded for the first program that has the
 * function whose place it takes.
 */
export class ShownPrograms {
  readonly #object: BpfObject;
  readonly #set: ProgramSet;

  /** `jit`: the compiler of a program; undefined: it stays without native code. */
  constructor(machine: Machine, object: BpfObject, jit?: (attr: LoadAttr) => JitCompiler | undefined) {
    this.#object = object;
    this.#set = new ProgramSet(machine, jit && ((attr) => jit(attr) ?? notCompiled));
  }

  /** Loads a program of the object, or tells why it is refused. */
  load(attr: LoadAttr): LoadResult {
    const func = attr.progType === 'ext' ? attr.attachTo : undefined;
    const target = func === undefined ? undefined : this.#programWith(func);
    if (func === undefined || target === undefined) return this.#set.load(attr);
    const loaded = this.#set.load(target);
    return loaded.ok ? this.#set.load(attr, { prog: loaded.prog, func }) : loaded;
  }

  #programWith(func: string): LoadAttr | undefined {
    for (const { name, progType } of this.#object.programs) {
      const linked = progType === 'ext' ? undefined : linkProgram(this.#object, name).value;
      if (linked?.name === func || linked?.funcs.some((each) => each.name === func)) return linked;
    }
    return undefined;
  }
}

const notCompiled: JitCompiler = () => ({ ok: false, message: 'its code is not shown' });

/** Says on stderr that `--linum` adds nothing to a program without line info. */
export function noticeNoLines(prog: BpfProg, source: Source, io: Io): void {
  if (prog.xlatedLineInfo.length > 0) return;
  const why = source.kind === 'insns' ? `: ${source.name} holds instructions only` : '';
  io.err(`bpf-workbench: ${prog.name} has no line info${why}; --linum has nothing to add`);
}
