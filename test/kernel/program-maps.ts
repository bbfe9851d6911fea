import type { MapDef } from '#core/object/object.ts';

/** Maps of generated programs, by the index that their map loads hold. */
export const PROGRAM_MAPS = [
  { name: 'data', type: 'array', keySize: 4, valueSize: 32, maxEntries: 1, flags: 0 },
  { name: 'array', type: 'array', keySize: 4, valueSize: 24, maxEntries: 5, flags: 0 },
  { name: 'hash', type: 'hash', keySize: 8, valueSize: 20, maxEntries: 6, flags: 0 },
  { name: 'progs', type: 'prog_array', keySize: 4, valueSize: 4, maxEntries: 2, flags: 0 },
  { name: 'percpu', type: 'percpu_array', keySize: 4, valueSize: 16, maxEntries: 4, flags: 0 },
] as const satisfies readonly MapDef[];

/** Index of the map whose value can be addressed directly. */
export const DIRECT_MAP = 0;
/** Index of the program array. It holds TAIL_TARGET at index 1 only, so that most tail calls fall through. */
export const PROGS_MAP = 3;
/** Index in it that leads somewhere. */
export const TAIL_INDEX = 1;
/** What it leads to: `r0 = 31249; exit`. */
export const TAIL_TARGET = Uint8Array.of(0xb7, 0, 0, 0, 0x11, 0x7a, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0);
/** Maps that programs look into. */
export const LOOKUP_MAPS: readonly number[] = [0, 1, 2, 4];
/** Keys that programs use are below this. */
export const KEYS = 8;

/** The bytes of key `n` of a map. */
export function keyBytes(map: number, n: number): Uint8Array {
  const bytes = new Uint8Array(PROGRAM_MAPS[map]?.keySize ?? 4);
  bytes[0] = n;
  return bytes;
}

/** Values of all maps but the directly addressed one, by map and key. */
const INITIAL = PROGRAM_MAPS.map((def: MapDef, map) =>
  Array.from({ length: KEYS }, (_, n) => {
    const isThere = map !== PROGS_MAP && (def.type === 'hash' ? n % 2 === 0 : n < def.maxEntries);
    const byteAt = (_: unknown, i: number): number => (map * 37 + n * 11 + i * 29 + (i & 3 ? 0 : 128)) & 0xff;
    return isThere ? Uint8Array.from({ length: def.valueSize }, byteAt) : undefined;
  }),
);

/**
 * What value `n` of a map is before each run; undefined: there is none. The directly addressed one holds
 * what the recipe's registers `start` with.
 */
export function initialValue(start: readonly number[], map: number, n: number): Uint8Array | undefined {
  const value = INITIAL[map]?.[n];
  if (map !== DIRECT_MAP || value === undefined) return value;
  return new Uint8Array(Int32Array.from(start.slice(0, value.length / 4)).buffer);
}
