import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';

/**
 * Compares a transcript with `test/dap/NAME.txt`. `UPDATE_GOLDEN=1 npx vitest run test/dap` writes the
 * file instead; the change is reviewed in the diff.
 */
export function expectGolden(name: string, lines: readonly string[]): void {
  const file = new URL(`./${name}.txt`, import.meta.url);
  const text = `${lines.join('\n')}\n`;
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(file, text);
  expect(existsSync(file), `${name}.txt is missing; UPDATE_GOLDEN=1 writes it`).toBe(true);
  expect(text).toBe(readFileSync(file, 'utf8'));
}
