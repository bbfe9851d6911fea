import type { MapDef } from '#core/object/object.ts';

/** Maps of generated programs, by the index that their map loads hold. */
export const PROGRAM_MAPS = [
  { name: 'data', type: 'array', keySize: 4, valueSize: 32, maxEntries: 1, flags: 0 },
  { name: 'array', type: 'array', keySize: 4, valueSize: 24, maxEntries: 5, flags: 0 },
  { name: 'hash', type: 'hash', keySize: 8, valueSize: 20, maxEntries: 8, flags: 0 },
  { name: 'progs', type: 'prog_array', keySize: 4, valueSize: 4, maxEntries: 2, flags: 0 },
  { name: 'percpu', type: 'percpu_array', keySize: 4, valueSize: 16, maxEntries: 4, flags: 0 },
] as const satisfies readonly MapDef[];

/** Index of the map whose value can be addressed directly. */
export const DIRECT_MAP = 0;
/** Index of the program array; it is always empty, so that tail calls fall through. */
export const PROGS_MAP = 3;
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

/**
 * What value `n` of a map is before each run; undefined: there is none. The directly addressed one holds
 * what the recipe's registers `start` with.
 */
export function initialValue(start: readonly number[], map: number, n: number): Uint8Array | undefined {
  const def: MapDef | undefined = PROGRAM_MAPS[map];
  if (def === undefined || map === PROGS_MAP) return undefined;
  if (def.type === 'hash' ? n % 2 === 1 : n >= def.maxEntries) return undefined;
  if (map === DIRECT_MAP) return new Uint8Array(Int32Array.from(start.slice(0, def.valueSize / 4)).buffer);
  return Uint8Array.from(
    { length: def.valueSize },
    (_, i) => (map * 37 + n * 11 + i * 29 + (i & 3 ? 0 : 128)) & 0xff,
  );
}
