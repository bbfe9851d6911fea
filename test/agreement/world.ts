import { u32Bytes } from '#core/bytes/little-endian.ts';
import { createMap, isRefusal } from '#core/maps/create.ts';
import type { LoadAttr, MapDef } from '#core/object/object.ts';
import { bpfProgLoad } from '#core/prog/load.ts';
import { Machine } from '#core/vm/machine.ts';
import type { BpfMap } from '#core/vm/map.ts';
import type { Way } from '../engines.ts';
import { encode, insn } from '../interp/build.ts';
import { type AnyProgram, TYPES } from './pieces.ts';

/** Maps of the programs, by the index that their map loads hold. A program array belongs to one type. */
export const MAPS = [
  { name: 'array', type: 'array', keySize: 4, valueSize: 16, maxEntries: 3, flags: 0 },
  { name: 'hash', type: 'hash', keySize: 4, valueSize: 8, maxEntries: 4, flags: 0 },
  { name: 'percpu', type: 'percpu_array', keySize: 4, valueSize: 8, maxEntries: 2, flags: 0 },
  // BPF_F_RDONLY_PROG
  { name: 'constants', type: 'array', keySize: 4, valueSize: 8, maxEntries: 1, flags: 0x80 },
  { name: 'progs', type: 'prog_array', keySize: 4, valueSize: 4, maxEntries: 4, flags: 0 },
] as const satisfies readonly MapDef[];
/** Index of the read-only one. */
export const CONSTANTS = 3;
/** Index of the program array: the program itself, one that returns, one that faults, nothing. */
export const PROGS = 4;
/** Maps that programs look into. */
export const LOOKED_UP = [0, 1, 2, 3] as const;
const KEYS = 4;

/** `r0 = 31249; exit` and `r0 = *(u64 *)(r10 + 8); exit`. */
const OTHERS = [
  [...insn('mov64_imm', { dst: 0, imm: 31249 }), ...insn('exit')],
  [...insn('ldxdw', { dst: 0, src: 10, off: 8 }), ...insn('exit')],
];

/** A program as the loader takes it. */
export function attrOf(progType: AnyProgram['progType'], insns: Uint8Array, name = 'main'): LoadAttr {
  return { name, progType, license: 'GPL', insns, lineInfo: [], files: [], funcs: [], maps: [...MAPS] };
}

/** A machine with the maps and the programs that tail calls lead to; it lives for many programs. */
export class World {
  readonly machine: Machine;
  readonly #maps: readonly BpfMap[];
  readonly #progs: ReadonlyMap<string, BpfMap>;

  constructor({ options }: Way) {
    this.machine = new Machine({ shared: false, maxMemory: 2 ** 25, ...options });
    const make = (def: MapDef): BpfMap => {
      const map = createMap(this.machine, def);
      if (isRefusal(map)) throw new Error(map.message);
      return map;
    };
    this.#maps = MAPS.slice(0, PROGS).map(make);
    this.#progs = new Map(TYPES.map((type) => [type, make(MAPS[PROGS])]));
    for (const progType of TYPES) {
      for (const [i, insns] of OTHERS.entries()) {
        const other = bpfProgLoad(this.machine, attrOf(progType, encode(insns), `other${i}`), {
          maps: this.mapsOf(progType),
        });
        if (!other.ok) throw new Error(other.refusal.message);
        this.#progs.get(progType)?.update(u32Bytes(i + 1), u32Bytes(other.prog.id), 0n);
      }
    }
  }

  /** The maps that programs of a type are loaded with, by index. */
  mapsOf(progType: AnyProgram['progType']): BpfMap[] {
    const progs = this.#progs.get(progType);
    return progs === undefined ? [...this.#maps] : [...this.#maps, progs];
  }

  /** Puts program `id` at index 0 of its type's program array; undefined: takes it away. */
  setSelf(progType: AnyProgram['progType'], id: number | undefined): void {
    const progs = this.#progs.get(progType);
    if (id === undefined) progs?.delete(u32Bytes(0));
    else progs?.update(u32Bytes(0), u32Bytes(id), 0n);
  }

  /** Gives the maps the values that every run begins with. */
  resetMaps(): void {
    for (const map of this.#maps) {
      for (let n = 0; n < KEYS; n++) {
        const isThere = map.def.type === 'hash' ? n % 2 === 0 : n < map.def.maxEntries;
        const value = new Uint8Array(map.def.valueSize).fill(16 * n + 1);
        if (isThere) map.update(u32Bytes(n), value, 0n);
        else map.delete(u32Bytes(n));
      }
    }
  }

  /** Where a region would come to lie now. */
  nextAddress(): bigint {
    const { space } = this.machine;
    const region = space.alloc({ name: 'next', kind: 'memory', size: 8, perm: 'r' });
    space.free(region);
    return region.addr;
  }

  /** `name[key] = value`, a line each. */
  mapLines(): string[] {
    return this.#maps.flatMap((map) =>
      [...map.entries()].map(([key, value]) => `${map.def.name}[${hex(key)}] = ${hex(value)}`).sort(),
    );
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
