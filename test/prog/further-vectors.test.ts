import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { bpfCheckClassic } from '#core/cbpf/check.ts';
import { evaluateClassic } from '#core/cbpf/evaluate.ts';
import { packetInput } from '#core/cbpf/packet-input.ts';
import { sockFilter } from '#core/cbpf/sock-filter.ts';
import { reference } from '#core/interp/reference.ts';
import { nodeHash } from '#core/platform/node/hash.ts';
import { auxOf } from '#core/prog/prog.ts';
import { runProgram } from '#core/session/run.ts';
import { Machine } from '#core/vm/machine.ts';
import type { BpfMap } from '#core/vm/map.ts';
import { unhex } from './build.ts';
import { furtherVectors, loadVector, type Vector } from './vectors.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** A map's contents as the vectors have them: CPU 0's values, array elements that are all zero left out. */
function contents(map: BpfMap): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [key, all] of map.entries()) {
    const value = all.slice(0, map.def.valueSize);
    if (map.def.type.endsWith('array') && value.every((byte) => byte === 0)) continue;
    found[hex(key)] = hex(value);
  }
  return found;
}

/** What `vector` gives here that it did not give there. */
function differences(vector: Vector): string[] {
  const machine = new Machine({ shared: false, nCpus: 2, hash: nodeHash });
  const loaded = loadVector(machine, vector);
  if (!loaded.ok) return [loaded.refusal.message];
  const { prog } = loaded;
  const found: string[] = [];
  const compare = (what: string, here: unknown, there: unknown): void => {
    const [a, b] = [JSON.stringify(here), JSON.stringify(there)];
    if (a !== b) found.push(`${what} ${a}, the kernel's ${b}`);
  };
  compare('tag', hex(auxOf(prog).tag?.tag ?? new Uint8Array()), vector.tag);
  compare(
    'stack depths',
    prog.subprogs.map(({ stackDepth }) => stackDepth),
    vector.stack_depth,
  );
  if (vector.retval === null || vector.data === null) return found;
  const result = runProgram(machine, prog, reference, { data: unhex(vector.data), attach: 'test_run' });
  if (result.fault) return [...found, result.fault.message];
  compare('retval', result.retval, vector.retval);
  compare('packet', hex(result.dataOut), vector.data_out ?? vector.data);
  const [map] = prog.maps;
  if (map === undefined || map.def.type === 'prog_array') return found;
  const sorted = (entries: Readonly<Record<string, string>>): unknown => Object.entries(entries).sort();
  compare('map', sorted(contents(map)), sorted(vector.map_out ?? {}));
  return found;
}

test('further programs that Linux 6.18 ran give the same tags, stack depths, results, packets and maps', () => {
  const other: string[] = [];
  for (const vector of furtherVectors) {
    for (const text of differences(vector)) other.push(`${vector.name}: ${text}`);
  }
  console.log(`further vectors: ${furtherVectors.length} compared`);
  expect(other).toEqual([]);
  expect(furtherVectors.length).toBeGreaterThanOrEqual(778);
});

interface ClassicVector {
  readonly name: string;
  readonly filter: readonly (readonly [number, number, number, number])[];
  readonly packets: readonly string[];
  readonly accepted: readonly number[] | null;
}

test('classic filters let pass what the socket filters of Linux 6.18 did, and are refused where they were', () => {
  const file = new URL('../testdata/vectors/classic-6.18.jsonl.gz', import.meta.url);
  const lines: ClassicVector[] = gunzipSync(readFileSync(file))
    .toString()
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => JSON.parse(line));
  let refused = 0;
  for (const { name, filter, packets, accepted } of lines) {
    const filters = filter.map(([code, jt, jf, k]) => sockFilter(code, k, jt, jf));
    expect(bpfCheckClassic(filters) === undefined, name).toBe(accepted !== null);
    if (accepted === null) {
      refused++;
      continue;
    }
    const here = packets.map((packet) => {
      const bytes = unhex(packet);
      const result = evaluateClassic(
        filters,
        packetInput({ bytes, dataAt: 0, networkAt: 0, extensions: NONE }),
      );
      return result.kind === 'return' ? Math.min(result.value >>> 0, bytes.length) : result.message;
    });
    expect(here, name).toEqual(accepted);
  }
  console.log(`classic vectors: ${lines.length} filters compared, ${refused} of them refused`);
  expect(lines.length).toBeGreaterThan(300);
});

/** A datagram of a socket pair has no protocol and no type but 0. */
const NONE = { SKF_AD_PROTOCOL: 0, SKF_AD_PKTTYPE: 0 };
