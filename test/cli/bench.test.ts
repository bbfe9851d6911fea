import { expect, test } from 'vitest';
import type { EngineTimes } from '#cli/bench/engine-times.ts';
import { PROGRAM_KINDS } from '#cli/bench/programs.ts';
import { samplesInTurns } from '#cli/bench/samples.ts';
import { spread } from '#cli/bench/statistics.ts';
import { cli } from './harness.ts';

const QUICK = ['bench', '--quick', '--prog', 'checksum', '--prog', 'alu64'];

// Not times: a busy machine must not fail a build. A wrong result is exit code 1.
test('bench --json has every engine that was asked for, in the order of the reference', async () => {
  const { code, stdout, stderr } = await cli([...QUICK, '--json']);
  expect([code, stderr]).toEqual([0, '']);
  const { host, missing, base, programs, means } = JSON.parse(stdout) as EngineTimes & {
    readonly host: Record<string, unknown>;
    readonly missing: readonly string[];
  };
  expect(Object.keys(host)).toEqual(['date', 'node', 'os', 'cpu', 'nCpus', 'clock']);
  expect([missing, base]).toEqual([[], 'wasm']);
  const engines = ['reference', 'interp', 'wasm', 'x86-64'];
  expect(programs.map(({ name, insns }) => [name, insns])).toEqual([
    ['alu64', 4_801_007],
    ['checksum', 546_310],
  ]);
  for (const { engines: times } of programs) {
    expect(times.map(({ engine }) => engine)).toEqual(engines);
    for (const { engine, ns, ratio } of times) {
      expect(ns.median).toBeGreaterThan(0);
      if (engine === base) expect(ratio).toEqual({ median: 1, p10: 1, p90: 1, rounds: 1 });
    }
  }
  expect(means.map(({ engine }) => engine)).toEqual(engines);
  const ratios = programs.map(({ engines: times }) => times[0]?.ratio.median ?? Number.NaN);
  expect(means[0]?.ratio.median).toBeCloseTo(Math.sqrt(ratios.reduce((a, b) => a * b, 1)), 6);
});

test('bench prints tables; progress is for terminals', async () => {
  const engines = ['--engine', 'interp', '--engine', 'reference'];
  const { code, stdout, stderr } = await cli([...QUICK, ...engines]);
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/^one run, ms +million insns +reference +interp$/m);
  expect(stdout).toMatch(/^packet checksum +0\.546 +[\d.]+ +[\d.]+$/m);
  // Without `wasm` the definition is what all are compared with.
  expect(stdout).toMatch(/^time ÷ reference +interp$/m);
  expect(stdout).toMatch(/^geometric mean +[\d.]+\n$/m);
  const terminal = await cli([...QUICK, ...engines], { terminal: true });
  expect(terminal.stderr).toBe('64-bit arithmetic …\npacket checksum …');
});

test.each([
  [['bench', 'file.bpf.s'], 'bench: takes no FILE; its programs are built in'],
  [['bench', '--prog', 'fast'], '--prog fast: must be alu64, alu32, hash, '],
  [['bench', '--engine', 'steam'], '--engine steam: must be reference, interp, wasm, x86-64'],
])('%j is bad usage', async (argv, message) => {
  const { code, stdout, stderr } = await cli(argv);
  expect([code, stdout, stderr]).toEqual([2, '', expect.stringContaining(message)]);
});

test('columns take turns, and each sample is as long as was asked for', () => {
  const told: string[] = [];
  const run = (name: string, ns: number) => (times: number) => {
    told.push(`${name} ${times}`);
    return { result: 7, ns: ns * times };
  };
  const kind = { name: 'x', title: 'x', result: 7, inKernel: false };
  const runs = new Map([
    ['fast', run('fast', 1)],
    ['slow', run('slow', 100)],
  ]);
  const samples = samplesInTurns(kind, runs, { rounds: 2, sample: 100, warmUp: 0 });
  expect([...samples]).toEqual([
    ['fast', [1, 1]],
    ['slow', [100, 100]],
  ]);
  expect(told.slice(-4)).toEqual(['fast 100', 'slow 1', 'fast 100', 'slow 1']);
  expect(() => samplesInTurns({ ...kind, result: 8 }, runs, { rounds: 1, sample: 0, warmUp: 0 })).toThrow(
    'x: the result is 7, not 8',
  );
  expect(spread([5, 1, 4, 2, 3])).toEqual({ median: 3, p10: 1, p90: 5, rounds: 5 });
  expect(PROGRAM_KINDS).toHaveLength(8);
});
