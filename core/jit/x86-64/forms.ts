import { type Form, formOf } from './row.ts';
import { X86_ROWS, type X86Id } from './rows.ts';

/** The rows taken apart, by name: what the assembler encodes. */
export const FORMS: Readonly<Record<X86Id, Form>> = Object.fromEntries(
  X86_ROWS.map((row) => [row.id, formOf(row)]),
) as Record<X86Id, Form>;
