import { main as debugLatency } from '../test/bench/debug-latency.ts';

/** `npm run bench [-- --json]`: every benchmark of `test/bench`, one after the other. */
export async function main(args: readonly string[]): Promise<number> {
  return debugLatency(args);
}
