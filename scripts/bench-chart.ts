import { readFileSync, writeFileSync } from 'node:fs';
import { benchChart } from './lib/bench-chart.ts';
import type { BenchResults } from './lib/bench-results.ts';
import { withBenchTables } from './lib/bench-tables.ts';
import { inRoot } from './lib/paths.ts';

/** What `npm run bench -- --write` keeps. */
export const RESULTS_FILE = inRoot('test', 'bench', 'results.json');

/** Makes the chart and the tables of docs/performance.md of the kept results. */
export async function main(): Promise<number> {
  const results = JSON.parse(readFileSync(RESULTS_FILE, 'utf8')) as BenchResults;
  writeFileSync(inRoot('docs', 'images', 'performance.svg'), benchChart(results));
  const page = inRoot('docs', 'performance.md');
  writeFileSync(page, withBenchTables(readFileSync(page, 'utf8'), results));
  return 0;
}
