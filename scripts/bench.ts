import { pathToFileURL } from 'node:url';
import { inRoot } from './lib/paths.ts';

/** `npm run bench [-- --json]`: every benchmark of `test/bench`, one after the other. */
export async function main(args: readonly string[]): Promise<number> {
  for (const name of ['debug-latency']) {
    // Tests are a TypeScript project of their own, which scripts do not reference.
    const bench: { main(args: readonly string[]): Promise<number> } = await import(
      pathToFileURL(inRoot('test', 'bench', `${name}.ts`)).href
    );
    const code = await bench.main(args);
    if (code !== 0) return code;
  }
  return 0;
}
