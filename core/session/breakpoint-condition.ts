import { type CompiledFor, compileCondition } from './expression/compile.ts';
import { evaluateExpression, evaluateParsed } from './expression/eval.ts';
import { type Expr, parseExpression } from './expression/parse.ts';
import { type ExprEnv, ExprFailure } from './expression/value.ts';
import type { BreakpointRequest } from './target-rows.ts';

/** What a breakpoint says in words, whatever it lies on. */
export type BreakpointTexts = Pick<BreakpointRequest, 'condition' | 'hitCondition' | 'logMessage'>;

/** Does a breakpoint count at this hit, from 1? */
export type HitTest = (hits: number) => boolean;

/** Says what is wrong with a breakpoint's texts before it is set; undefined: nothing. */
export function requestProblem(request: BreakpointTexts): string | undefined {
  if (request.condition !== undefined && request.condition.trim() !== '') {
    const parsed = parseExpression(request.condition);
    if (!parsed.ok) return `condition: ${parsed.error.message}`;
    if (parsed.expr.kind === 'assign') return 'condition: an assignment is none; compare with ==';
  }
  if (request.hitCondition !== undefined && hitTest(request.hitCondition) === undefined) {
    return `hit count "${request.hitCondition}" is not understood: write 5, >= 5 or % 5`;
  }
  for (const part of logParts(request.logMessage ?? '')) {
    const parsed = part.expression === undefined ? undefined : parseExpression(part.expression);
    if (parsed?.ok === false) return `log message, {${part.expression}}: ${parsed.error.message}`;
  }
  return undefined;
}

/** Where conditions are evaluated. */
export type ConditionPlace = CompiledFor;

/** Whether a condition holds, or why that cannot be told. */
export type Condition = () => boolean | string;

/** The condition of a request that `requestProblem` has found nothing wrong with; undefined: it has none. */
export function conditionOf({ condition }: BreakpointTexts, at: ConditionPlace): Condition | undefined {
  if (condition === undefined || condition.trim() === '') return undefined;
  const parsed = parseExpression(condition);
  if (!parsed.ok) return undefined;
  const compiled = compileCondition(parsed.expr, at);
  if (compiled === undefined) return () => holds(parsed.expr, at.env);
  return () => {
    try {
      return compiled();
    } catch (error) {
      if (error instanceof ExprFailure) return error.message;
      throw error;
    }
  };
}

function holds(condition: Expr, env: ExprEnv): boolean | string {
  const result = evaluateParsed(condition, env, { assignments: false });
  if (!result.ok) return result.error.message;
  return result.value.kind === 'int' ? result.value.bits !== 0n : 'it is no number';
}

/** Reads a hit count; undefined for what is none: `5` (the fifth time only), `== 5`, `>= 5`, `> 5`, `< 5`, `<= 5`, `% 5`. */
export function hitTest(text: string): HitTest | undefined {
  const match = /^\s*(==|=|>=|>|<=|<|%)?\s*(\d{1,15})\s*$/.exec(text);
  if (match === null) return undefined;
  const n = Number(match[2]);
  switch (match[1]) {
    case '>=':
      return (hits) => hits >= n;
    case '>':
      return (hits) => hits > n;
    case '<=':
      return (hits) => hits <= n;
    case '<':
      return (hits) => hits < n;
    case '%':
      return n === 0 ? undefined : (hits) => hits % n === 0;
    default:
      return (hits) => hits === n;
  }
}

function logParts(message: string): { text?: string; expression?: string }[] {
  return message
    .split(/(\{[^{}]*\})/)
    .filter((part) => part !== '')
    .map((part) =>
      part.startsWith('{') && part.endsWith('}') ? { expression: part.slice(1, -1) } : { text: part },
    );
}

/** The message of a log point with the values of its `{expression}`s. */
export function logText(message: string, env: ExprEnv): string {
  return logParts(message)
    .map(({ text, expression }) => {
      if (expression === undefined) return text ?? '';
      const result = evaluateExpression(expression, env, { assignments: false });
      if (!result.ok) return `{${expression}: ${result.error.message}}`;
      return result.value.kind === 'int'
        ? `0x${result.value.bits.toString(16)}`
        : `{${expression}: no number}`;
    })
    .join('');
}
