import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { decodeInsn, TABLE_ROWS } from '#core/isa/decode.ts';
import { encodeRow } from '#core/isa/encode.ts';
import { printInsn } from '#core/isa/print.ts';
import { sampleOperands } from '#scripts/isa-samples.ts';
import { bytesOf, findTool, hexOf, recorded } from './recorded.ts';

interface Recorded {
  readonly id: string;
  readonly text: string;
  readonly bytes: string;
  readonly by: string;
}

const entries = recorded<Recorded>('encodings.json');

describe('the table against what other assemblers made', () => {
  test('every row was recorded twice', () => {
    const ids = entries.map((entry) => entry.id);
    expect(ids).toEqual(TABLE_ROWS.flatMap((row) => [row.id, row.id]));
  });

  test.each(TABLE_ROWS.map((row) => [row.id, row] as const))(
    '%s encodes to the recorded bytes',
    (id, row) => {
      const expected = entries.filter((entry) => entry.id === id).map((entry) => entry.bytes);
      expect(sampleOperands(row).map((operands) => hexOf(encodeRow(row, operands)))).toEqual(expected);
    },
  );

  test.each(entries.map((entry) => [entry.id, entry.bytes]))('%s: %s decodes to its row', (id, bytes) => {
    const decoded = decodeInsn(bytesOf(bytes), 0);
    expect(decoded.row?.id).toBe(id);
    expect(decoded.length * 16).toBe(bytes.length);
  });

  const gnu = recorded<Recorded>('gnu-encodings.json');

  test.each(gnu.map((entry) => [entry.text, entry]))('GNU as: %s', (text, entry) => {
    const decoded = decodeInsn(bytesOf(entry.bytes), 0);
    expect(decoded.row?.id).toBe(entry.id);
    const { row } = decoded;
    const spellings = [row?.gnu ?? '', ...(row?.gnuAlso ?? [])].map((template) =>
      printInsn({ ...decoded, ...(row && { row: { ...row, gnu: template } }) }, 'gnu'),
    );
    expect(spellings).toContain(text.replaceAll('+-', '-'));
  });

  test('GNU as knew most spellings', () => {
    expect(new Set(gnu.map((entry) => entry.id)).size).toBeGreaterThan(120);
  });

  test('llvm-mc still says the same, where it is installed', () => {
    const tool = findTool(['llvm-mc-19', 'llvm-mc']);
    if (!tool) return;
    const known = entries.filter((entry) => entry.by === 'llvm-mc');
    const run = spawnSync(tool, ['-triple=bpfel', '-mcpu=v4', '-show-encoding'], {
      input: known.map((entry) => `${entry.text}\n`).join(''),
      encoding: 'utf8',
    });
    // An older llvm-mc lacks instructions; then the recorded bytes are all there is to compare with.
    if (run.status !== 0) {
      console.log(`oracle too old: ${tool}; the recorded bytes alone were compared`);
      return;
    }
    const bytes = [...run.stdout.matchAll(/encoding: \[([^\]]*)\]/g)].map((match) =>
      (match[1] ?? '').replaceAll('0x', '').replaceAll(',', ''),
    );
    expect(bytes).toEqual(known.map((entry) => entry.bytes));
  });
});
