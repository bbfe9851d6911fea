import type { Builder, Where } from './builder.ts';
import type { Expr } from './expr.ts';
import type { DirectiveArg, DirectiveStatement } from './statement.ts';

/** What all directives share: their list, and reading their arguments. */

/** A directive where it stands. */
export interface DirectiveContext {
  readonly b: Builder;
  readonly statement: DirectiveStatement;
  readonly lineStart: number;
  /** 0-based. */
  readonly lineNumber: number;
}

/** Carries out one directive. */
export type Handler = (c: DirectiveContext) => void;

/** One directive: what it does, and how to write it, for hover and completion. */
export interface DirectiveInfo {
  readonly name: string;
  readonly usage: string;
  readonly meaning: string;
}

/** All directives by name. */
export const HANDLERS = new Map<string, Handler>();
/** What they do, for people. */
export const INFOS: DirectiveInfo[] = [];

/** Registers directives (names separated by spaces; `%` in `usage` is the name). */
export function directive(names: string, usage: string, meaning: string, handler: Handler): void {
  for (const name of names.split(' ')) {
    HANDLERS.set(name, handler);
    INFOS.push({ name, usage: usage.replace('%', name), meaning });
  }
}

/** Where a fixup for an argument is reported. */
export function whereOf(c: DirectiveContext, arg: { start: number; end: number }): Where {
  return { lineStart: c.lineStart, statement: undefined, operand: 0, start: arg.start, end: arg.end };
}

/** Reports an error at an argument, or at the whole directive. */
export function bad(
  c: DirectiveContext,
  arg: { start: number; end: number } | undefined,
  message: string,
  code = 'bad-argument',
): void {
  const at = arg && arg.end > arg.start ? arg : c.statement;
  c.b.report({ start: c.lineStart + at.start, end: c.lineStart + at.end }, code, message);
}

/** The text of an argument as it stands. */
export function raw(c: DirectiveContext, arg: DirectiveArg): string {
  return c.b.text.slice(c.lineStart + arg.start, c.lineStart + arg.end);
}

/** The symbol that an argument names; reported when it is none. */
export function nameOf(c: DirectiveContext, arg: DirectiveArg | undefined): string | undefined {
  if (arg?.kind === 'string') return raw(c, arg).slice(1, -1);
  if (arg?.kind === 'expr' && typeof arg.value === 'object' && arg.value.kind === 'symbol')
    return arg.value.name;
  bad(c, arg, `${c.statement.name} needs a symbol's name here`, 'name-expected');
  return undefined;
}

/** The expression of an argument; reported when it is none. */
export function exprOf(c: DirectiveContext, arg: DirectiveArg | undefined): Expr | undefined {
  if (arg?.kind === 'expr') return arg.value;
  if (arg?.kind === 'string')
    return { kind: 'symbol', name: raw(c, arg).slice(1, -1), start: arg.start, end: arg.end };
  bad(
    c,
    arg,
    `${c.statement.name} needs an expression here${arg ? `, not \`${raw(c, arg)}\`` : ''}`,
    'bad-expression',
  );
  return undefined;
}

/** The number that an argument comes to now; reported when it has none. */
export function numberOf(
  c: DirectiveContext,
  arg: DirectiveArg | undefined,
  what: string,
): bigint | undefined {
  const expr = exprOf(c, arg);
  return expr === undefined || !arg ? undefined : c.b.number(expr, whereOf(c, arg), what);
}

/** Reports arguments beyond the first `n`. */
export function noMoreThan(c: DirectiveContext, n: number): void {
  const extra = c.statement.args[n];
  if (extra)
    bad(
      c,
      extra,
      `${c.statement.name} takes ${n === 0 ? 'no argument' : `at most ${n} argument${n === 1 ? '' : 's'}`}`,
    );
}
