import { existsSync } from 'node:fs';
import { main as buildMain } from './build.ts';
import { runCommand } from './lib/exec.ts';
import { inRoot } from './lib/paths.ts';

/** Runs vitest with a JSON report in `test-results/NAME.json`; resolves to its exit code. */
export function runVitest(name: string, args: readonly string[]): Promise<number> {
  const report = inRoot('test-results', `${name}.json`);
  return runCommand(process.execPath, [
    inRoot('node_modules/vitest/vitest.mjs'),
    'run',
    ...args,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ]);
}

/** `npm test [-- FILTER…]`: builds the bundles that tests start, then runs every test but the browser's. */
export async function main(args: readonly string[]): Promise<number> {
  const built = await buildMain([]);
  if (built !== 0) return built;
  if (!existsSync(inRoot('dist/cli.js'))) throw new Error('the build left no dist/cli.js');
  return runVitest('unit', args);
}
