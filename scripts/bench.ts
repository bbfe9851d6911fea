import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { main as makeChart, RESULTS_FILE } from './bench-chart.ts';
import type { BenchResults } from './lib/bench-results.ts';
import { inRoot } from './lib/paths.ts';

/** What `test/bench/suite.ts` exports: tests are a TypeScript project of their own, which scripts do not reference. */
interface Suite {
  main(args: readonly string[], keep?: (results: BenchResults) => void): Promise<number>;
}

/**
 * `npm run bench`: every benchmark of `test/bench`, one after the other. `--json` prints one object, `--quick` measures
 * the least of each, `--write` keeps the results and makes the chart and the tables of docs/performance.md of them,
 * `--help` tells all of this.
 */
export async function main(args: readonly string[]): Promise<number> {
  const suite: Suite = await import(pathToFileURL(inRoot('test', 'bench', 'suite.ts')).href);
  if (!args.includes('--write')) return suite.main(args);
  let isKept = false;
  const code = await suite.main(
    args.filter((arg) => arg !== '--write'),
    (results) => {
      writeFileSync(RESULTS_FILE, `${JSON.stringify(results, undefined, 1)}\n`);
      isKept = true;
    },
  );
  return isKept ? makeChart() : code;
}
