import type { BpfMap } from '../vm/map.ts';
import type { VariableRow } from './target-rows.ts';

/** Most entries of a hash map that are counted for a row's text. */
const COUNT_LIMIT = 100_000;

/** A map as a row of the Maps scope; its entries are its children. */
export function mapRow(map: BpfMap): VariableRow {
  const { type, maxEntries, keySize, valueSize, name } = map.def;
  const count = countEntries(map);
  return {
    name,
    value: `${type}, ${count} of ${maxEntries} entries, key ${keySize} bytes, value ${valueSize} bytes`,
    type: `map (${type})`,
    evaluateName: name,
    children: { kind: 'map', id: map.id },
    indexed: count * map.nValues,
    readOnly: true,
  };
}

/** Entries that the map has now. */
export function countEntries(map: BpfMap): number {
  if (isArray(map)) return map.def.maxEntries;
  let count = 0;
  for (const _ of map.entries()) if (++count >= COUNT_LIMIT) break;
  return count;
}

/** Every index exists, so that a page can be read without walking what is before it. */
export function isArray(map: BpfMap): boolean {
  return map.valueRegions !== undefined;
}
