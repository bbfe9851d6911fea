import { expect, test } from 'vitest';
import type { Io } from '#cli/io.ts';
import { mapsJson } from '#cli/run-report.ts';
import { MAX_SOURCE_LINES, readInput } from '#cli/source.ts';
import { createMap, isRefusal } from '#core/maps/create.ts';
import { Machine } from '#core/vm/machine.ts';
import { cli, file } from './harness.ts';

test('a file with more errors than a call may have arguments', async () => {
  const n = 130_000;
  const path = file('errors.bpf.s', 'r0 = r77\n'.repeat(n));
  const { code, stdout, stderr } = await cli(['check', path]);
  expect([code, stderr]).toEqual([1, '']);
  expect(stdout.trimEnd().split('\n').at(-1)).toBe(`1 file: ${n} errors`);
  expect(stdout).toContain(`:${n}:6: error: `);
}, 60_000);

test('a file with more lines than any program', async () => {
  const path = file('lines.bpf.s', '?\n'.repeat(MAX_SOURCE_LINES));
  const { code, stderr } = await cli(['check', path]);
  expect(code).toBe(2);
  expect(stderr).toContain(`more than ${MAX_SOURCE_LINES} lines`);
}, 60_000);

test('a file without an end is read up to the limit', async () => {
  const io = { stdin: (async function* () {})() } as unknown as Io;
  // Windows has no such file
  await expect(readInput('/dev/zero', 1 << 20, io)).rejects.toThrow(/larger than 1 MiB|no such file/);
});

test('a map with more entries than an answer can hold does not end a batch', async () => {
  const insns = 'b7000000050000009500000000000000';
  const map = { type: 'array', key_size: 4, value_size: 1, max_entries: 1 << 24 };
  const lines = [
    { insns, maps: [map] },
    { insns, maps: [{ ...map, value_size: 60_000_000, max_entries: 2 }] },
  ];
  const stdin = [...lines, { insns }].map((line) => JSON.stringify(line)).join('\n');
  const { code, stdout } = await cli(['run', '--jsonl'], { stdin });
  expect(code).toBe(0);
  const tooLarge = {
    error:
      'map map0 is too large for "maps_out": a result shows at most 64 MiB of maps; make the map smaller',
  };
  expect(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toMatchObject([tooLarge, tooLarge, { r0: '0x5' }]);
}, 60_000);

test.each(['array', 'percpu_array', 'hash', 'percpu_hash'])(
  'the results of a run share the room for their maps: %s',
  (type) => {
    const machine = new Machine({ shared: false, nCpus: 2 });
    const entries = [{ key: new Uint8Array(4), value: new Uint8Array(8) }];
    const map = createMap(machine, {
      name: 'm',
      type,
      keySize: 4,
      valueSize: 8,
      maxEntries: 1,
      flags: 0,
      entries,
    });
    if (isRefusal(map)) throw new Error(map.message);
    const one = JSON.stringify(mapsJson([map])[0]).length - 1;
    const room = { chars: 2 * one };
    expect(mapsJson([map], room)).toHaveLength(1);
    expect(mapsJson([map], room)).toHaveLength(1);
    expect(room.chars).toBe(0);
    expect(() => mapsJson([map], room)).toThrow('all results together show at most 256 MiB of maps');
  },
);

test.each([[['run']], [['kernel', 'run']]])(
  '%j: more arguments than a tracepoint has are told as --data',
  async (words) => {
    const path = file('tp.bpf.s', '.section raw_tp/any\nr0 = 0\nexit\n');
    const { code, stderr } = await cli([...words, path, '--data', '00'.repeat(97)]);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: 'bpf-workbench: --data has 97 bytes; a tracepoint has at most 12 arguments of 8 bytes',
    });
  },
);
