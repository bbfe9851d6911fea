import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { inRoot } from './paths.ts';

/**
 * Ends a generator: writes `text` to `path` (from the root), or with `--check` compares and answers 1
 * when the committed file is not what the generator makes. Any other argument is bad usage (2).
 */
export function writeGenerated(path: string, text: string, args: readonly string[]): number {
  if (args.some((arg) => arg !== '--check')) {
    console.error('usage: [--check]');
    return 2;
  }
  const file = inRoot(path);
  if (!args.includes('--check')) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    console.log(`${path} written`);
    return 0;
  }
  if (readIfThere(file) === text) return 0;
  console.error(`${path} is not current: run its generator without --check and commit the result`);
  return 1;
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
