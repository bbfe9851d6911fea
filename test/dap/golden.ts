import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';

/**
 * Compares a transcript with `test/dap/NAME.txt`. `UPDATE_GOLDEN=1 npx vitest run test/dap` writes the
 * file instead; the change is reviewed in the diff.
 */
export function expectGolden(name: string, lines: readonly string[]): void {
  const file = new URL(`./${name}.txt`, import.meta.url);
  const text = withLetters(`${lines.join('\n')}\n`);
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(file, text);
  expect(existsSync(file), `${name}.txt is missing; UPDATE_GOLDEN=1 writes it`).toBe(true);
  expect(text).toBe(readFileSync(file, 'utf8'));
}

/**
 * Which window of the address space an object gets is nobody's promise: windows are lettered in the order
 * of their appearance, `0xffff88<A>0000000e`.
 */
function withLetters(text: string): string {
  const letters = new Map<string, string>();
  const letter = (window: string): string => {
    const known = letters.get(window) ?? String.fromCharCode(65 + letters.size);
    letters.set(window, known);
    return `<${known}>`;
  };
  return text
    .replace(/ffff88([0-9a-f]{2})(?=[0-9a-f]{8}\b)/g, (_, window: string) => `ffff88${letter(window)}`)
    .replace(/(?<=[0-9a-f]{8})([0-9a-f]{2})88ffff/g, (_, window: string) => `${letter(window)}88ffff`);
}
