import { u32Bytes } from '#core/bytes/little-endian.ts';
import { linkProgram } from '#core/object/link.ts';
import type { BpfObject, LoadAttr } from '#core/object/object.ts';
import type { BpfProg, Refusal } from '#core/prog/load.ts';
import { ProgramSet } from '#core/prog/program-set.ts';
import type { Machine } from '#core/vm/machine.ts';
import { UsageError } from './failure.ts';

/** Programs that share their maps, loaded into one machine, or the one that was refused. */
export type LoadedPrograms =
  | { readonly ok: true; readonly main: BpfProg }
  | { readonly ok: false; readonly name: string; readonly refusal: Refusal };

/**
 * Loads `main` and the programs for its program arrays, and fills these: an initial entry's value is an index
 * into `others`. Throws `UsageError` for an entry that no map or program fits.
 */
export function loadPrograms(machine: Machine, main: LoadAttr, others: readonly LoadAttr[]): LoadedPrograms {
  const set = new ProgramSet(machine);
  const loaded = set.load(main);
  if (!loaded.ok) return { ok: false, name: main.name, refusal: loaded.refusal };
  const programs: BpfProg[] = [];
  for (const attr of others) {
    const other = set.load(attr);
    if (!other.ok) return { ok: false, name: attr.name, refusal: other.refusal };
    programs.push(other.prog);
  }
  for (const { map, key, index } of set.programEntries(main)) {
    const prog = programs[index];
    if (prog === undefined) {
      throw new UsageError(`map ${map.def.name}: entry names program ${index}; there are ${programs.length}`);
    }
    const error = map.update(key, u32Bytes(prog.id), 0n);
    if (error !== 0)
      throw new UsageError(`map ${map.def.name}: program ${index} cannot be put in (errno ${-error})`);
  }
  return { ok: true, main: loaded.prog };
}

/** The programs that initial entries of program arrays name, by their index among the object's programs. */
export function programsForArrays(object: BpfObject, main: LoadAttr): LoadAttr[] {
  if (!main.maps.some((map) => map.type === 'prog_array' && (map.entries?.length ?? 0) > 0)) return [];
  return object.programs.map(({ name }) => {
    const { value, errors } = linkProgram(object, name, { progType: main.progType });
    if (value === undefined) throw new UsageError(`program ${name}: ${errors[0] ?? 'cannot be linked'}`);
    return value;
  });
}
