import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { evaluateClassic } from '#core/cbpf/evaluate.ts';
import { classicObject } from '#core/cbpf/object.ts';
import { packetInput } from '#core/cbpf/packet-input.ts';
import { filtersOf } from '#core/cbpf/program.ts';
import { readCapture } from '#core/input/capture.ts';
import { linkProgram } from '#core/object/link.ts';
import { bpfProgLoad } from '#core/prog/load.ts';
import { runProgram } from '#core/session/run.ts';
import { Machine } from '#core/vm/machine.ts';
import { EVERY_WAY } from '../engines.ts';

const ROOT = join(import.meta.dirname, '../..');

/** `matches`: how many packets of a capture `tcpdump -r CAPTURE --count EXPRESSION` counted. */
interface Recorded {
  readonly filters: readonly {
    readonly expression: string;
    readonly ddd: string;
    readonly matches: Readonly<Record<string, number>>;
  }[];
}

const { filters } = JSON.parse(
  readFileSync(join(ROOT, 'test/testdata/cbpf/tcpdump.json'), 'utf8'),
) as Recorded;

const captures = new Map(
  Object.keys(filters[0]?.matches ?? {}).map((name) => {
    const { packets } = readCapture(new Uint8Array(readFileSync(join(ROOT, name))));
    return [name, packets.map((packet) => packet.data)] as const;
  }),
);

test('some filter matches some but not all packets of each capture', () => {
  for (const [name, packets] of captures) {
    const counts = filters.map((each) => each.matches[name] ?? 0);
    expect(counts.some((count) => count > 0 && count < packets.length)).toBe(true);
  }
});

test.each(filters)('tcpdump $expression matches as many packets here', ({ ddd, matches }) => {
  const source = classicObject(ddd, { fileName: 'filter.ddd', name: 'filter' });
  expect(source.diagnostics).toEqual([]);
  const attr = source.object && linkProgram(source.object).value;
  if (attr === undefined) throw new Error('no program');
  const sides = EVERY_WAY.map(({ title, engine, options }) => {
    const machine = new Machine({ shared: false, ...options });
    const loaded = bpfProgLoad(machine, attr);
    if (!loaded.ok) throw new Error(loaded.refusal.message);
    const { prog } = loaded;
    return { title, retval: (data: Uint8Array) => runProgram(machine, prog, engine, { data }).retval };
  });
  for (const [name, packets] of captures) {
    const evaluated = packets.map((bytes) => {
      const result = evaluateClassic(
        filtersOf(source.value),
        packetInput({ bytes, dataAt: 0, networkAt: 14 }),
      );
      return result.kind === 'return' ? result.value : result.message;
    });
    for (const { title, retval } of sides) expect(packets.map(retval), title).toEqual(evaluated);
    expect(evaluated.filter((retval) => retval !== 0)).toHaveLength(matches[name] ?? -1);
  }
});
