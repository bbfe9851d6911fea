import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { MapDef, ProgType } from '#core/object/object.ts';
import { bpfProgLoad, type LoadOptions, type LoadResult } from '#core/prog/load.ts';
import type { Machine } from '#core/vm/machine.ts';
import type { VectorLine } from '#scripts/vectors/record.ts';
import { attrOf, unhex } from './build.ts';

/** One program that Linux 6.18 ran, as test/testdata/vectors has it; `data_out` and `map_out` in `furtherVectors` only. */
export type Vector = VectorLine & { readonly prog_type: ProgType };

/** The 400 that came with the project, in the file's order. */
export const vectors: readonly Vector[] = vectorsOf('kernel-6.18-x86-64.jsonl.gz');

/** Those that scripts/record-vectors.ts recorded: XDP, `__sk_buff` fields, subprograms, maps and more. */
export const furtherVectors: readonly Vector[] = vectorsOf('further-6.18-x86-64.jsonl.gz');

function vectorsOf(name: string): Vector[] {
  const file = new URL(`../testdata/vectors/${name}`, import.meta.url);
  const lines = gunzipSync(readFileSync(file)).toString().trim().split('\n');
  return lines.slice(1).map((line) => JSON.parse(line));
}

/** The maps of a vector's program. */
export function mapsOf({ map }: Vector): MapDef[] {
  if (map === null) return [];
  const sizes = { keySize: map.key_size, valueSize: map.value_size, maxEntries: map.max_entries };
  return [{ name: 'm', type: map.type, ...sizes, flags: 0 }];
}

/** Loads a vector's program. */
export function loadVector(machine: Machine, vector: Vector, options: LoadOptions = {}): LoadResult {
  const attr = attrOf(vector.prog_type, unhex(vector.insns), { maps: mapsOf(vector) });
  return bpfProgLoad(machine, attr, options);
}
