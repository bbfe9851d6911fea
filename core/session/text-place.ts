import type { Diagnostic } from '../object/object.ts';

/** `file:line:column: message` for a diagnostic of `text`; line and column from 1, in UTF-16 units. */
export function diagnosticText(fileName: string, text: string, diagnostic: Diagnostic): string {
  const before = text.slice(0, diagnostic.range.start);
  const line = before.split('\n').length;
  const column = before.length - before.lastIndexOf('\n');
  return `${fileName}:${line}:${column}: ${diagnostic.message}`;
}

/** The first diagnostic that is an error. */
export function firstError(diagnostics: readonly Diagnostic[]): Diagnostic | undefined {
  return diagnostics.find((diagnostic) => diagnostic.severity === 'error');
}
