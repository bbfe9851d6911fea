import { u32Of } from '../bytes/little-endian.ts';
import type { LoadAttr, MapDef } from '../object/object.ts';
import type { Machine } from '../vm/machine.ts';
import type { BpfMap } from '../vm/map.ts';
import type { JitCompiler } from './bpf-int-jit-compile.ts';
import { bpfProgBindMap } from './bpf-prog-bind-map.ts';
import type { DstProg } from './dst-prog.ts';
import { bpfProgLoad, type LoadResult } from './load.ts';

/** An initial entry of a program array. */
export interface ProgramEntry {
  readonly map: BpfMap;
  readonly key: Uint8Array;
  /** Which program of the object, from 0; −1 when the entry's value is no index (4 bytes, little endian). */
  readonly index: number;
}

/**
 * Programs of one object in one machine. A map of one program is the same map for the others that define it
 * under that name, as when libbpf loads an object. Program arrays are created empty: what their initial
 * entries name exists only later, and `programEntries` tells it to whoever loads those programs.
 */
export class ProgramSet {
  readonly #machine: Machine;
  readonly #jit: ((attr: LoadAttr) => JitCompiler) | undefined;
  readonly #maps: { readonly def: MapDef; readonly map: BpfMap }[] = [];
  readonly #programs = new Map<string, LoadResult & { readonly ok: true }>();

  /** @param jit gives the compiler of each program; without it programs are interpreted. */
  constructor(machine: Machine, jit?: (attr: LoadAttr) => JitCompiler) {
    this.#machine = machine;
    this.#jit = jit;
  }

  /**
   * Loads a program; one of the same name that was loaded before is given again. Its maps of read-only data
   * are frozen and bound to it, whether it names them or not; where there is no memory for that they stay
   * unbound, as libbpf lets them. `dstProg`: what an extension is for; it is loaded anew each time.
   */
  load(attr: LoadAttr, dstProg?: DstProg): LoadResult {
    const before = dstProg === undefined ? this.#programs.get(attr.name) : undefined;
    if (before !== undefined) return before;
    const known = attr.maps.map((def) => this.#mapOf(def));
    const emptied = { ...attr, maps: attr.maps.map(withoutPrograms) };
    const jit = this.#jit?.(emptied);
    const loaded = bpfProgLoad(this.#machine, emptied, { maps: known, dstProg, ...(jit ? { jit } : {}) });
    if (!loaded.ok) return loaded;
    if (dstProg === undefined) this.#programs.set(attr.name, loaded);
    attr.maps.forEach((def, index) => {
      const map = loaded.prog.maps[index];
      if (known[index] === undefined && map !== undefined) this.#maps.push({ def, map });
    });
    for (const index of attr.rodata ?? []) {
      const map = loaded.prog.maps[index];
      if (map === undefined) continue;
      map.freeze();
      bpfProgBindMap(this.#machine, loaded.prog, map);
    }
    return loaded;
  }

  /** The map of that name of the programs loaded so far. */
  mapNamed(name: string): BpfMap | undefined {
    return this.#maps.find(({ def }) => def.name === name)?.map;
  }

  /** The initial entries of a loaded program's program arrays. */
  *programEntries(attr: LoadAttr): Iterable<ProgramEntry> {
    for (const def of attr.maps) {
      const map = this.#mapOf(def);
      if (def.type !== 'prog_array' || map === undefined) continue;
      for (const { key, value } of def.entries ?? []) {
        yield { map, key, index: value.length === 4 ? u32Of(value) : -1 };
      }
    }
  }

  #mapOf(def: MapDef): BpfMap | undefined {
    const same = this.#maps.find((each) => each.def === def);
    return same === undefined ? this.mapNamed(def.name) : same.map;
  }
}

function withoutPrograms(def: MapDef): MapDef {
  if (def.type !== 'prog_array') return def;
  const { entries: _programs, ...bare } = def;
  return bare;
}
