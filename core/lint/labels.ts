import type { Assembled } from '../asm/assemble.ts';
import type { Diagnostic } from '../object/object.ts';

/**
 * Labels in code that nothing refers to: a hint. Names that compilers make are left alone, and so are programs,
 * functions and whatever a directive makes visible or describes.
 */
export function unusedLabels(assembled: Assembled): Diagnostic[] {
  const { definitions, value } = assembled;
  const labels = [...definitions.values()].filter(({ kind, insnOff, name }) => {
    return kind === 'label' && insnOff !== undefined && !isMade(name);
  });
  // A statement that was not understood may name any of them.
  if (labels.length === 0 || assembled.diagnostics.some(({ severity }) => severity === 'error')) return [];
  const used = new Set(assembled.references.map(({ name }) => name));
  for (const program of value.programs) used.add(program.name);
  for (const symbol of value.symbols) {
    if (symbol.binding !== 'local' || symbol.type !== 'notype') used.add(symbol.name);
  }
  return labels
    .filter(({ name }) => !used.has(name))
    .map(({ name, range }) => ({
      range,
      severity: 'hint',
      code: 'unused-label',
      message: `nothing jumps to ${name} or calls it`,
      unnecessary: true,
    }));
}

/** Names of compilers, and of numeric labels, which begin with a control character. */
function isMade(name: string): boolean {
  return /^\.?L/.test(name) || name.charCodeAt(0) < 32;
}
