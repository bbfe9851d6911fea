import { expect, test } from 'vitest';
import { x86Sim } from '#core/x86-sim/x86-sim.ts';
import { preparedRun } from './prepared-run.ts';
import { PROGRAM_KINDS, storedProgram } from './stored-programs.ts';
import { runSuite } from './suite.ts';

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

  function missing(tool: string): boolean {
    return results.missing.some((one) => one.startsWith(tool));
  }
}, 120_000);

// The slowest of the eight takes as long there as all others together.
test.each(PROGRAM_KINDS.filter(({ name }) => name !== 'calls'))(
  '$name gives on the simulated processor what native code gives',
  ({ name, result }) => {
    expect(preparedRun(storedProgram(name), x86Sim).run(1)).toBe(result);
  },
);
