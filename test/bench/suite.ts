import { assembly } from './assembly.ts';
import { compiled } from './compiled.ts';
import { debugLatency } from './debug-latency.ts';
import { interpreters } from './interpreters.ts';
import { benchTable } from './report.ts';

/** Runs every benchmark; prints a table, or with `--json` one object and nothing else. */
export async function main(args: readonly string[]): Promise<number> {
  const rows = [...(await debugLatency()), ...interpreters(), ...compiled(), ...assembly()];
  console.log(
    args.includes('--json')
      ? JSON.stringify({ node: process.version, rows }, undefined, 2)
      : `${benchTable(rows)}\n\nReference machine, figures and what they mean: test/bench/README.md`,
  );
  return 0;
}
