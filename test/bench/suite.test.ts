import { expect, test, vi } from 'vitest';
import { preparedRun } from '#cli/bench/prepared-run.ts';
import { PROGRAM_KINDS, storedProgram } from '#cli/bench/programs.ts';
import { x86Sim } from '#core/x86-sim/x86-sim.ts';
import { benchText } from './report.ts';
import { main, runSuite } from './suite.ts';

const LARGE_SESSION = [
  'launch → stopped',
  'progress told',
  'longest silence at launch',
  'cancelled launch → ended',
  'step → stopped',
  'continue → breakpoint',
  'pause → stopped',
  'page of disassembly',
  'page of the JIT view',
  'longest wait',
  'JIT view, listing',
];

// Not times: a busy machine must not fail a build.
test('the smallest run measures everything, and every program has its result everywhere', async () => {
  // A wrong result on an engine, in the kernel or in native code is thrown.
  const results = await runSuite({ quick: true });
  for (const one of results.missing) console.log(`benchmarks: not measured: ${one}`);
  expect(JSON.parse(JSON.stringify(results))).toEqual(results);
  expect(results.programs.map(({ name }) => name)).toEqual(PROGRAM_KINDS.map(({ name }) => name));
  for (const { name, ns, insns } of results.programs) {
    expect(insns, name).toBeGreaterThan(100_000);
    expect(Object.keys(ns).slice(0, 5)).toEqual(['reference', 'interp', 'wasm', 'limit', 'debug']);
    expect('kernel' in ns).toBe(name !== 'recursion' && !missing('the kernel'));
    expect('clang' in ns).toBe(!missing('native code of clang'));
    expect('gcc' in ns).toBe(!missing('native code of gcc'));
  }
  const rows = [...results.means, ...results.rows];
  expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
  for (const { name, median, p10, p90 } of rows) {
    expect([median, p10, p90].every(Number.isFinite), name).toBe(true);
  }
  const names = rows.map(({ name }) => name);
  expect(names).toEqual(
    expect.arrayContaining([
      ...['interp', 'wasm', 'x86-64'].flatMap((engine) =>
        ['pause → stopped', 'step → stopped', 'continue → breakpoint'].map(
          (what) => `${what}, a loop: ${engine}`,
        ),
      ),
      'pause → stopped, 3 functions of 100 instructions: wasm',
      ...['wasm', 'x86-64'].flatMap((engine) =>
        LARGE_SESSION.map((what) => `2000 instructions, ${engine}: ${what}`),
      ),
    ]),
  );
  const text = benchText(results);
  expect(Math.max(...text.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(120);
  for (const { title, ns } of results.programs) {
    const lines = text.split('\n').filter((line) => line.startsWith(title));
    expect(lines.map((line) => line.slice(title.length).trim().split(/ +/)[0])).toEqual(Object.keys(ns));
  }

  function missing(tool: string): boolean {
    return results.missing.some((one) => one.startsWith(tool));
  }
}, 120_000);

test.each([
  [['--help'], 0, 'usage: npm run bench'],
  [['--quick', '--help'], 0, 'usage: npm run bench'],
  [['--hlep'], 2, 'the option --hlep is not known'],
])('%o is answered without measuring', async (args, code, text) => {
  const told = vi.fn();
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => told(String(chunk)) ?? true);
  vi.spyOn(console, 'error').mockImplementation(told);
  const keep = vi.fn();
  expect(await main(args, keep)).toBe(code);
  vi.restoreAllMocks();
  expect(told.mock.calls.flat().join('')).toContain(text);
  expect(keep).not.toHaveBeenCalled();
});

// The slowest of the eight takes as long there as all others together.
test.each(PROGRAM_KINDS.filter(({ name }) => name !== 'calls'))(
  '$name gives on the simulated processor what native code gives',
  ({ name, result }) => {
    expect(preparedRun(storedProgram(name), x86Sim).run(1)).toBe(result);
  },
);
