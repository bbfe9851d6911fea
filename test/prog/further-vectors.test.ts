import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { bpfCheckClassic } from '#core/cbpf/check.ts';
import { bpfConvertFilter } from '#core/cbpf/convert.ts';
import { evaluateClassic } from '#core/cbpf/evaluate.ts';
import { packetInput } from '#core/cbpf/packet-input.ts';
import { type SockFilter, sockFilter } from '#core/cbpf/sock-filter.ts';
import type { Engine } from '#core/interp/engine.ts';
import { linkProgram } from '#core/object/link.ts';
import { objectFromInsns } from '#core/object/raw.ts';
import { nodeHash } from '#core/platform/node/hash.ts';
import { bpfProgFree, bpfProgLoad } from '#core/prog/load.ts';
import { auxOf } from '#core/prog/prog.ts';
import { runProgram } from '#core/session/run.ts';
import { Machine } from '#core/vm/machine.ts';
import type { BpfMap } from '#core/vm/map.ts';
import { EVERY_WAY } from '../engines.ts';
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

/** Says where what is here is not what was there. */
function comparer(found: string[]): (what: string, here: unknown, there: unknown) => void {
  return (what, here, there) => {
    const [a, b] = [JSON.stringify(here), JSON.stringify(there)];
    if (a !== b) found.push(`${what} ${a}, the kernel's ${b}`);
  };
}

/** What the loader finds of `vector` that the kernel did not. */
function differentFacts(machine: Machine, vector: Vector): string[] {
  const loaded = loadVector(machine, vector);
  if (!loaded.ok) return [loaded.refusal.message];
  const { prog } = loaded;
  const found: string[] = [];
  const compare = comparer(found);
  compare('tag', hex(auxOf(prog).tag?.tag ?? new Uint8Array()), vector.tag);
  const depths = prog.subprogs.map(({ stackDepth }) => stackDepth);
  compare('stack depths', depths, vector.stack_depth);
  bpfProgFree(machine, prog);
  return found;
}

/** What `vector` does here that it did not do there. */
function differentEffects(machine: Machine, engine: Engine, vector: Vector): string[] {
  if (vector.retval === null || vector.data === null) return [];
  const loaded = loadVector(machine, vector);
  if (!loaded.ok) return [loaded.refusal.message];
  const { prog } = loaded;
  const result = runProgram(machine, prog, engine, { data: unhex(vector.data), attach: 'test_run' });
  const found: string[] = [];
  const compare = comparer(found);
  compare('fault', result.fault?.message, undefined);
  compare('retval', result.retval, vector.retval);
  compare('packet', hex(result.dataOut), vector.data_out ?? vector.data);
  const [map] = prog.maps;
  if (map !== undefined && map.def.type !== 'prog_array') {
    const sorted = (entries: Readonly<Record<string, string>>): unknown => Object.entries(entries).sort();
    compare('map', sorted(contents(map)), sorted(vector.map_out ?? {}));
  }
  bpfProgFree(machine, prog);
  return found;
}

const OPTIONS = { shared: false, nCpus: 2, hash: nodeHash } as const;

test('further programs that Linux 6.18 ran have the same tags and stack depths', () => {
  const machine = new Machine(OPTIONS);
  const other = furtherVectors.flatMap((vector) =>
    differentFacts(machine, vector).map((text) => `${vector.name}: ${text}`),
  );
  expect(other).toEqual([]);
  expect(furtherVectors.length).toBeGreaterThanOrEqual(778);
});

test.each(EVERY_WAY)('they give the same results, packets and maps on $title', ({ engine, options }) => {
  const machine = new Machine({ ...OPTIONS, ...options });
  const other = furtherVectors.flatMap((vector) =>
    differentEffects(machine, engine, vector).map((text) => `${vector.name}: ${text}`),
  );
  expect(other).toEqual([]);
});

interface ClassicVector {
  readonly name: string;
  readonly filter: readonly (readonly [number, number, number, number])[];
  readonly packets: readonly string[];
  readonly accepted: readonly number[] | null;
}

const CLASSIC: readonly ClassicVector[] = gunzipSync(
  readFileSync(new URL('../testdata/vectors/classic-6.18.jsonl.gz', import.meta.url)),
)
  .toString()
  .trim()
  .split('\n')
  .slice(1)
  .map((line) => JSON.parse(line));

const filtersOf = ({ filter }: ClassicVector): readonly SockFilter[] =>
  filter.map(([code, jt, jf, k]) => sockFilter(code, k, jt, jf));

test('classic filters let pass what the socket filters of Linux 6.18 did, and are refused where they were', () => {
  let refused = 0;
  for (const vector of CLASSIC) {
    const { name, packets, accepted } = vector;
    const filters = filtersOf(vector);
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
  console.log(`classic vectors: ${CLASSIC.length} filters compared, ${refused} of them refused`);
  expect(CLASSIC.length).toBeGreaterThan(300);
});

test.each(EVERY_WAY)('converted, they let the same pass on $title', ({ engine, options }) => {
  const machine = new Machine({ shared: false, ...options });
  let compared = 0;
  for (const vector of CLASSIC) {
    if (vector.accepted === null) continue;
    const converted = bpfConvertFilter(filtersOf(vector), 'socket_filter');
    if ('message' in converted) throw new Error(converted.message);
    const object = objectFromInsns(converted.insns, { name: 'f', progType: 'socket_filter' });
    const { value } = linkProgram(object);
    const loaded = value && bpfProgLoad(machine, value);
    if (!loaded?.ok) throw new Error(`${vector.name} is refused`);
    const here = vector.packets.map((packet) => {
      const data = unhex(packet);
      const { retval, fault } = runProgram(machine, loaded.prog, engine, { data, attach: 'packet' });
      return fault?.message ?? Math.min(retval, data.length);
    });
    bpfProgFree(machine, loaded.prog);
    // A datagram of a socket pair has no header: what looks for one is not to be compared.
    if (looksAtHeaders(vector)) continue;
    compared++;
    expect(here, vector.name).toEqual(vector.accepted);
  }
  expect(compared).toBeGreaterThan(200);
});

/** A datagram of a socket pair has no protocol and no type but 0. */
const NONE = { SKF_AD_PROTOCOL: 0, SKF_AD_PKTTYPE: 0 };

/** Ancillary data and offsets from headers, which here are those of an Ethernet frame. */
function looksAtHeaders({ filter }: ClassicVector): boolean {
  return filter.some(([code, , , k]) => (code & 7) <= 1 && k >= 0xfff0_0000);
}
