import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { MapDef, ProgType } from '#core/object/object.ts';
import { bpfProgLoad, type LoadOptions, type LoadResult } from '#core/prog/load.ts';
import type { Machine } from '#core/vm/machine.ts';
import { attrOf, unhex } from './build.ts';

/** One program that Linux 6.18 ran, as test/testdata/vectors has it. */
export interface Vector {
  readonly name: string;
  readonly prog_type: ProgType;
  readonly insns: string;
  readonly map: { type: string; key_size: number; value_size: number; max_entries: number } | null;
  readonly tag: string;
  readonly xlated: string;
  readonly stack_depth: readonly number[];
  readonly func_insn_start: readonly number[];
  readonly func_len: readonly number[];
  readonly image_addr: readonly string[];
  readonly xlated_line_insn_off: readonly number[];
  readonly jited_line_info: readonly string[];
  readonly data: string | null;
  readonly retval: number | null;
  /** The packet afterwards, where it differs from `data`; in `furtherVectors` only. */
  readonly data_out?: string;
  /** The map afterwards, all-zero array elements left out; in `furtherVectors` only. */
  readonly map_out?: Readonly<Record<string, string>>;
}

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
