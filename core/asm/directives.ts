import { type DirectiveContext, type DirectiveInfo, HANDLERS, INFOS } from './directive-registry.ts';
import './directives-data.ts';
import './directives-programs.ts';
import './directives-symbols.ts';
import { suggest } from './suggest.ts';

/** All directives that are understood, those that are read and ignored included. */
export const DIRECTIVES: readonly DirectiveInfo[] = INFOS;

/** Carries out a directive; unknown ones are errors with a suggestion. */
export function runDirective(c: DirectiveContext): void {
  const { name } = c.statement;
  const handler = HANDLERS.get(name);
  if (name.startsWith('.cfi_')) return;
  if (handler) {
    handler(c);
    return;
  }
  const near = suggest(name, HANDLERS.keys());
  c.b.report(
    { start: c.lineStart + c.statement.start, end: c.lineStart + c.statement.nameEnd },
    'unknown-directive',
    `unknown directive \`${name}\`${near ? `; did you mean \`${near}\`?` : ''}`,
    near ? { fix: { title: `Change to ${near}`, newText: near } } : {},
  );
}
