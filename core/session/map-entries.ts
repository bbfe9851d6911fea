import { bytesOfHex, hexText } from '../bytes/hex.ts';
import { littleEndian, u32Bytes } from '../bytes/little-endian.ts';
import { roundUp8 } from '../maps/header.ts';
import type { BpfMap } from '../vm/map.ts';
import { memoryPlace, valueMeaning, valueText } from './meaning.ts';
import type { FrameContext } from './results.ts';
import { shortHex } from './results.ts';
import type { VariableRow } from './target-rows.ts';
import { countEntries, isArray } from './variables-map.ts';

/** Rows `start` … `end` − 1 of a map's entries; in per-CPU maps each entry has a row a CPU. */
export function mapEntryRows(context: FrameContext, map: BpfMap, start: number, end: number): VariableRow[] {
  const rows: VariableRow[] = [];
  const perEntry = map.nValues;
  const first = Math.floor(start / perEntry);
  let row = first * perEntry;
  for (const key of mapKeys(map, first, Math.ceil(end / perEntry))) {
    for (let cpu = 0; cpu < perEntry; cpu++, row++) {
      if (row >= start && row < end) rows.push(...entryRow(context, map, key, cpu));
    }
  }
  return rows;
}

/**
 * What to evaluate for the row called `name` of a map: `ports[80]`; of one CPU's value, the place it lies
 * at. Undefined: there is no such row, or no expression for a value of its size.
 */
export function entryExpression(map: BpfMap, name: string): string | undefined {
  const found = /^(\[.*?\])(?: on CPU (\d+))?$/s.exec(name);
  if (found === null) return undefined;
  const [, key = '', cpu] = found;
  if (cpu === undefined) return map.def.name + key;
  const bytes = keyBytes(map, key);
  return bytes && placeExpression(map, map.valueAddr(bytes, Number(cpu)));
}

function entryRow(context: FrameContext, map: BpfMap, key: Uint8Array, cpu: number): VariableRow[] {
  const { loaded, frames, frame } = context;
  const perCpu = map.nValues > 1;
  const all = map.lookup(key);
  if (all === undefined) return [];
  const from = cpu * roundUp8(map.def.valueSize);
  const value = all.subarray(from, from + map.def.valueSize);
  const name = perCpu ? `${keyText(map, key)} on CPU ${cpu}` : keyText(map, key);
  const addr = map.valueAddr(key, cpu);
  const evaluateName = perCpu ? placeExpression(map, addr) : `${map.def.name}${name}`;
  const place = addr === undefined ? undefined : memoryPlace(loaded, addr);
  const common = {
    name,
    ...(evaluateName === undefined ? {} : { evaluateName }),
    ...(place === undefined ? {} : { memory: place }),
    ...(addr === undefined || evaluateName === undefined ? { readOnly: true } : {}),
  };
  const bits = [1, 2, 4, 8].includes(value.length) ? littleEndian(value) : undefined;
  if (map.def.type === 'prog_array' && bits !== undefined) {
    const program = loaded.programs.get(Number(bits));
    return [{ ...common, value: valueText(bits, program?.attr.name), type: 'program' }];
  }
  if (bits !== undefined) {
    const meaning = value.length === 8 ? valueMeaning(loaded, frames, frame, bits) : undefined;
    return [{ ...common, value: valueText(bits, meaning), type: `u${value.length * 8}` }];
  }
  const bytes = { value: shortHex(value), type: `u8[${value.length}]` };
  if (addr === undefined) return [{ ...common, ...bytes }];
  const children = { kind: 'memory', addr, size: value.length, unit: 1, from: 0 } as const;
  return [{ ...common, ...bytes, children, indexed: value.length }];
}

/** `*(u64 *)(0x…)` for values of a number's size. */
function placeExpression(map: BpfMap, addr: bigint | undefined): string | undefined {
  const { valueSize } = map.def;
  if (addr === undefined || ![1, 2, 4, 8].includes(valueSize)) return undefined;
  return `*(u${valueSize * 8} *)(0x${addr.toString(16)})`;
}

/** `[80]` for keys of up to eight bytes, `["0a000001…"]` for longer ones: both can be typed. */
function keyText(map: BpfMap, key: Uint8Array): string {
  if (map.def.keySize <= 8) return `[${littleEndian(key)}]`;
  return `["${hexText(key)}"]`;
}

/** The key that `keyText` shows so; undefined: none of this map's. */
function keyBytes({ def: { keySize } }: BpfMap, text: string): Uint8Array | undefined {
  const number = /^\[(\d+)\]$/.exec(text)?.[1];
  if (keySize > 8) return bytesOfHex(/^\["([0-9a-f]+)"\]$/.exec(text)?.[1] ?? '');
  if (number === undefined) return undefined;
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(number), true);
  return bytes.slice(0, keySize);
}

function* mapKeys(map: BpfMap, start: number, end: number): Iterable<Uint8Array> {
  if (isArray(map)) {
    for (let index = start; index < Math.min(end, countEntries(map)); index++) yield u32Bytes(index);
    return;
  }
  let index = 0;
  for (const [key] of map.entries()) {
    if (index >= end) return;
    if (index++ >= start) yield key;
  }
}
