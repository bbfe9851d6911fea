import { createMap, type MapRefusal } from '#core/maps/create.ts';
import { linkProgram } from '#core/object/link.ts';
import type { BpfObject, LoadAttr, MapDef } from '#core/object/object.ts';
import { type BpfProg, bpfProgLoad, type Refusal } from '#core/prog/load.ts';
import type { Machine } from '#core/vm/machine.ts';
import type { BpfMap } from '#core/vm/map.ts';
import { UsageError } from './failure.ts';

/** Programs that share their maps, loaded into one machine. */
export type LoadedPrograms =
  | { readonly ok: true; readonly main: BpfProg; readonly maps: readonly BpfMap[] }
  | { readonly ok: false; readonly name: string; readonly refusal: Refusal };

/**
 * Loads `main` and the programs for its program arrays; maps of the same name are one map. The value of a
 * program array's initial entry is the index into `others`, 4 bytes little endian.
 * Throws `UsageError` for an entry that no map or program fits.
 */
export function loadPrograms(machine: Machine, main: LoadAttr, others: readonly LoadAttr[]): LoadedPrograms {
  const maps: BpfMap[] = [];
  for (const def of main.maps) {
    const map = createMapFor(machine, def);
    if ('errno' in map)
      return { ok: false, name: main.name, refusal: { pc: undefined, message: map.message } };
    maps.push(map);
  }
  // Programs of one object count its maps alike, but each has maps of its own behind them.
  const shared = (def: MapDef) => maps[main.maps.findIndex((each) => each === def || each.name === def.name)];
  const load = (attr: LoadAttr) =>
    bpfProgLoad(machine, attr, { maps: attr === main ? maps : attr.maps.map(shared) });
  const programs: BpfProg[] = [];
  for (const attr of others) {
    const loaded = load(attr);
    if (!loaded.ok) return { ok: false, name: attr.name, refusal: loaded.refusal };
    programs.push(loaded.prog);
  }
  const loaded = load(main);
  if (!loaded.ok) return { ok: false, name: main.name, refusal: loaded.refusal };
  main.maps.forEach((def, index) => {
    const map = maps[index];
    if (def.type === 'prog_array' && map !== undefined) fillProgArray(map, def, programs);
  });
  return { ok: true, main: loaded.prog, maps };
}

/** Creates a map without the entries that name programs; those exist only later. */
function createMapFor(machine: Machine, def: MapDef): BpfMap | MapRefusal {
  if (def.type !== 'prog_array') return createMap(machine, def);
  const { entries: _programs, ...bare } = def;
  return createMap(machine, bare);
}

function fillProgArray(map: BpfMap, def: MapDef, programs: readonly BpfProg[]): void {
  for (const { key, value } of def.entries ?? []) {
    const index = value.length === 4 ? new DataView(value.buffer, value.byteOffset).getUint32(0, true) : -1;
    const prog = programs[index];
    if (prog === undefined) {
      throw new UsageError(`map ${def.name}: entry names program ${index}; there are ${programs.length}`);
    }
    const id = new Uint8Array(4);
    new DataView(id.buffer).setUint32(0, prog.id, true);
    const error = map.update(key, id, 0n);
    if (error !== 0)
      throw new UsageError(`map ${def.name}: program ${index} cannot be put in (errno ${-error})`);
  }
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
