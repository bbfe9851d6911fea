import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { RESULTS_FILE } from '../../scripts/bench-chart.ts';
import { benchChart } from '../../scripts/lib/bench-chart.ts';
import { type BenchResults, isMet, targetText } from '../../scripts/lib/bench-results.ts';
import { withBenchTables } from '../../scripts/lib/bench-tables.ts';
import { inRoot } from '../../scripts/lib/paths.ts';

const results = JSON.parse(readFileSync(RESULTS_FILE, 'utf8')) as BenchResults;

test('chart and tables in the documentation are those of the kept results', () => {
  const page = readFileSync(inRoot('docs', 'performance.md'), 'utf8');
  expect(withBenchTables(page, results)).toBe(page);
  expect(readFileSync(inRoot('docs', 'images', 'performance.svg'), 'utf8')).toBe(benchChart(results));
});

test('a page without a place for a table is refused', () => {
  expect(() => withBenchTables('# Performance\n', results)).toThrow('<!-- bench: host -->');
});

test.each([
  [{ most: 1.5 }, '≤ 1.50 times', [true, true, false]],
  [{ least: 3 }, '≥ 3 times', [false, false, true]],
])('a target of %o', (target, text, met) => {
  const rows = [1.2, 1.5, 3].map((median) => ({
    name: 'ratio',
    unit: 'times' as const,
    median,
    p10: 1,
    p90: 4,
    runs: 9,
    target,
  }));
  expect(rows.map(targetText)).toEqual([text, text, text]);
  expect(rows.map(isMet)).toEqual(met);
});
