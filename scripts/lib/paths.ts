import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** The repository's root folder. */
export const ROOT = resolve(import.meta.dirname, '../..');

/** Absolute path of a file or folder of the repository. */
export function inRoot(...parts: string[]): string {
  return join(ROOT, ...parts);
}

/** Where large downloads are kept between runs: `${XDG_CACHE_HOME:-~/.cache}/bpf-workbench`. */
export function cacheDir(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'bpf-workbench');
}

/** First of `candidates` that exists. */
export function firstExisting(candidates: readonly string[]): string | undefined {
  return candidates.find((candidate) => existsSync(candidate));
}
