import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Reads a recorded file of `test/testdata/isa`. */
export function recorded<T>(name: string): readonly T[] {
  return JSON.parse(readFileSync(new URL(`../testdata/isa/${name}`, import.meta.url), 'utf8')) as T[];
}

export function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The first of `names` that runs on this machine; says so when none does, so that nobody takes silence for a pass. */
export function findTool(names: readonly string[]): string | undefined {
  const found = names.find((name) => spawnSync(name, ['--version']).status === 0);
  if (!found) console.log(`oracle missing: ${names[0]}; the recorded bytes alone were compared`);
  return found;
}
