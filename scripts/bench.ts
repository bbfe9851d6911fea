import { pathToFileURL } from 'node:url';
import { inRoot } from './lib/paths.ts';

/** `npm run bench [-- --json] [-- --quick]`: every benchmark of `test/bench`, one after the other. */
export async function main(args: readonly string[]): Promise<number> {
  // Tests are a TypeScript project of their own, which scripts do not reference.
  const suite: { main(args: readonly string[]): Promise<number> } = await import(
    pathToFileURL(inRoot('test', 'bench', 'suite.ts')).href
  );
  return suite.main(args);
}
