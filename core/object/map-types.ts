import { UAPI_CONSTANTS } from '../isa/constants.ts';

/** Map types by their uapi names. */

/** A map type: `name` is the uapi's in lower case without `BPF_MAP_TYPE_`. */
export interface MapType {
  readonly name: string;
  readonly id: number;
}

const PREFIX = 'BPF_MAP_TYPE_';

/** All map types but `unspec`. */
export const MAP_TYPES: readonly MapType[] = UAPI_CONSTANTS.filter(
  (c) => c.name.startsWith(PREFIX) && c.value > 0n,
).map((c) => ({ name: c.name.slice(PREFIX.length).toLowerCase(), id: Number(c.value) }));

/** A map type by `hash`, `BPF_MAP_TYPE_HASH`, either in any case, or its number in decimal. */
export function mapTypeByName(name: string): MapType | undefined {
  const lower = name.toLowerCase();
  const plain = lower.startsWith(PREFIX.toLowerCase()) ? lower.slice(PREFIX.length) : lower;
  return MAP_TYPES.find((t) => t.name === plain || String(t.id) === plain);
}

/** A map type by number. */
export function mapTypeById(id: number): MapType | undefined {
  return MAP_TYPES.find((t) => t.id === id);
}
