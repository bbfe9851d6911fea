import { u32Bytes } from '#core/bytes/little-endian.ts';
import { linkProgram } from '#core/object/link.ts';
import type { BpfObject, LoadAttr } from '#core/object/object.ts';
import type { JitCompiler } from '#core/prog/bpf-int-jit-compile.ts';
import type { TracingLink } from '#core/prog/bpf-tracing-prog-attach.ts';
import { extendProgram } from '#core/prog/extend.ts';
import type { BpfProg, Refusal } from '#core/prog/load.ts';
import { ProgramSet } from '#core/prog/program-set.ts';
import type { Machine } from '#core/vm/machine.ts';
import { UsageError } from './failure.ts';

/** Programs that share their maps, loaded into one machine, or the one that was refused. */
export type LoadedPrograms =
  | {
      readonly ok: true;
      readonly main: BpfProg;
      /** Those for its program arrays. */
      readonly others: readonly BpfProg[];
      readonly links: readonly TracingLink[];
    }
  | { readonly ok: false; readonly name: string; readonly refusal: Refusal };

/**
 * Loads `main` and the programs for its program arrays, and fills these: an initial entry's value is an index
 * into `others`. Then loads the `extensions` and puts them in their places. Throws `UsageError` for an entry
 * that no map or program fits. `jit` gives each its compiler.
 */
export function loadPrograms(
  machine: Machine,
  main: LoadAttr,
  others: readonly LoadAttr[],
  extensions: readonly LoadAttr[] = [],
  jit?: (attr: LoadAttr) => JitCompiler,
): LoadedPrograms {
  const set = new ProgramSet(machine, jit);
  const loaded = set.load(main);
  if (!loaded.ok) return { ok: false, name: main.name, refusal: loaded.refusal };
  const programs: (BpfProg | undefined)[] = [];
  for (const attr of others) {
    // No place in an array is for an extension; who names one is told so below.
    if (attr.progType === 'ext') {
      programs.push(undefined);
      continue;
    }
    const other = set.load(attr);
    if (!other.ok) return { ok: false, name: attr.name, refusal: other.refusal };
    programs.push(other.prog);
  }
  for (const { map, key, index } of set.programEntries(main)) {
    const prog = programs[index];
    if (prog === undefined) {
      const why =
        others[index] === undefined ? `there are ${programs.length}` : 'which is an extension (EINVAL)';
      throw new UsageError(`map ${map.def.name}: entry names program ${index}; ${why}`);
    }
    const error = map.update(key, u32Bytes(prog.id), 0n);
    if (error !== 0)
      throw new UsageError(`map ${map.def.name}: program ${index} cannot be put in (errno ${-error})`);
  }
  // a program may be in its own array, or twice among the others
  const placed = new Set(programs.filter((prog) => prog !== undefined));
  placed.delete(loaded.prog);
  const links: TracingLink[] = [];
  for (const attr of extensions) {
    const extended = extendProgram(machine, set, loaded.prog, attr);
    if (!extended.ok) return { ok: false, name: attr.name, refusal: extended.refusal };
    links.push(extended.link);
  }
  return { ok: true, main: loaded.prog, others: [...placed], links };
}

/** All programs that `loadPrograms` loaded, the main one first. */
export function allPrograms({ main, others, links }: LoadedPrograms & { readonly ok: true }): BpfProg[] {
  return [main, ...others, ...links.map(({ prog }) => prog)];
}

/** The programs of `--freplace`, ready to load. Throws `UsageError` for a name that no program has. */
export function extensionsNamed(object: BpfObject, names: readonly string[]): LoadAttr[] {
  return names.map((name) => {
    const { value, errors } = linkProgram(object, name);
    if (value === undefined) throw new UsageError(`--freplace ${name}: ${errors[0] ?? 'cannot be linked'}`);
    return value;
  });
}

/** The programs that initial entries of program arrays name, by their index among the object's programs. */
export function programsForArrays(object: BpfObject, main: LoadAttr): LoadAttr[] {
  if (!main.maps.some((map) => map.type === 'prog_array' && (map.entries?.length ?? 0) > 0)) return [];
  return object.programs.map(({ name, progType }) => {
    const options = progType === 'ext' ? {} : { progType: main.progType };
    const { value, errors } = linkProgram(object, name, options);
    if (value === undefined) throw new UsageError(`program ${name}: ${errors[0] ?? 'cannot be linked'}`);
    return value;
  });
}
