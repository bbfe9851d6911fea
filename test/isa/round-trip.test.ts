import { describe, expect, test } from 'vitest';
import { assemble } from '#core/asm/assemble.ts';
import { decodeInsn, TABLE_ROWS } from '#core/isa/decode.ts';
import { encodeRow } from '#core/isa/encode.ts';
import { printInsn } from '#core/isa/print.ts';
import { sampleOperands } from '#scripts/isa-samples.ts';
import { hexOf } from './recorded.ts';

/** Bytes of `.text` and the errors, of one instruction. */
function assembled(text: string, dialect: 'pseudoc' | 'gnu') {
  const { value, diagnostics } = assemble(`\t.text\n\t${text}\n`, { fileName: 'row.bpf.s', dialect });
  const bytes = value.sections.find((section) => section.name === '.text')?.bytes ?? new Uint8Array();
  return {
    bytes: hexOf(bytes),
    errors: diagnostics.filter((d) => d.severity === 'error').map((d) => d.message),
  };
}

describe.each(['pseudoc', 'gnu'] as const)('assemble(print(x)) = x in %s', (dialect) => {
  test.each(TABLE_ROWS.map((row) => [row.id, row] as const))('%s, and its further spellings', (_id, row) => {
    const also = (dialect === 'gnu' ? row.gnuAlso : row.pseudocAlso) ?? [];
    for (const operands of sampleOperands(row)) {
      const bytes = encodeRow(row, operands);
      const decoded = decodeInsn(bytes, 0);
      const texts = [
        printInsn(decoded, dialect),
        ...also.map((template) => printInsn({ ...decoded, row: { ...row, [dialect]: template } }, dialect)),
      ];
      for (const text of texts)
        expect(assembled(text, dialect), text).toEqual({ bytes: hexOf(bytes), errors: [] });
    }
  });
});
