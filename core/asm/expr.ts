import { OPS, opId, type TokenBuffer, TokKind } from './lexer.ts';

/**
 * Expressions in operands and directives. Precedence is GNU's, which LLVM shares:
 * `* / % << >>` bind tightest, then `| & ^`, then `+ -`.
 */

/** A literal is a number where a double holds it exactly, else a bigint. Positions are offsets in the line. */
export type Expr = number | bigint | ExprNode;

/** A symbol, numeric-label reference, or operation. */
export type ExprNode =
  | { readonly kind: 'symbol'; readonly name: string; readonly start: number; readonly end: number }
  /** `1f` or `1b`. */
  | {
      readonly kind: 'local';
      readonly number: number;
      readonly forward: boolean;
      readonly start: number;
      readonly end: number;
    }
  | { readonly kind: 'unary'; readonly op: string; readonly arg: Expr }
  | { readonly kind: 'binary'; readonly op: string; readonly left: Expr; readonly right: Expr };

const PRECEDENCE = new Map<string, number>([
  ['+', 1],
  ['-', 1],
  ['|', 2],
  ['&', 2],
  ['^', 2],
  ['*', 3],
  ['/', 3],
  ['%', 3],
  ['<<', 3],
  ['>>', 3],
]);
const precedenceById = OPS.map((op) => PRECEDENCE.get(op) ?? 0);
const MINUS = opId('-');
const PLUS = opId('+');
const TILDE = opId('~');
const NOT = opId('!');
const OPEN = opId('(');
const CLOSE = opId(')');

/** How deep parentheses and signs may nest: untrusted text must not exhaust the stack. */
const MAX_DEPTH = 64;
/** How many operators one expression may have, for the same reason. */
const MAX_OPERATORS = 500;
let operators = 0;

/**
 * Where the last `parseExpr` stopped: the token behind the expression, or the one that did not fit;
 * then `missing` says what would have fitted.
 */
export const exprEnd = { at: 0, missing: '' };

/**
 * Parses an expression from token `at`. Returns undefined when none stands there; `exprEnd.at` is then
 * the token at fault.
 */
export function parseExpr(buf: TokenBuffer, text: string, base: number, at: number): Expr | undefined {
  operators = 0;
  return binary(buf, text, base, at, 1, 0);
}

function binary(
  buf: TokenBuffer,
  text: string,
  base: number,
  at: number,
  min: number,
  depth: number,
): Expr | undefined {
  let left = unary(buf, text, base, at, depth);
  if (left === undefined) return undefined;
  for (;;) {
    const i = exprEnd.at;
    if (buf.kind[i] !== TokKind.op) return left;
    const op = buf.value[i]!;
    const precedence = precedenceById[op]!;
    if (precedence < min || precedence === 0 || ++operators > MAX_OPERATORS) return left;
    const right = binary(buf, text, base, i + 1, precedence + 1, depth + 1);
    if (right === undefined) return undefined;
    left = fold(OPS[op]!, left, right);
  }
}

function fold(op: string, left: Expr, right: Expr): Expr {
  if (typeof left === 'number' && typeof right === 'number') {
    if (op === '+') return exact(left + right, op, left, right);
    if (op === '-') return exact(left - right, op, left, right);
  }
  return { kind: 'binary', op, left, right };
}

function exact(value: number, op: string, left: Expr, right: Expr): Expr {
  return Number.isSafeInteger(value) ? value : { kind: 'binary', op, left, right };
}

function unary(buf: TokenBuffer, text: string, base: number, at: number, depth: number): Expr | undefined {
  exprEnd.at = at;
  exprEnd.missing = 'a number or symbol';
  const kind = buf.kind[at]!;
  const start = buf.start[at]!;
  const end = buf.end[at]!;
  if (kind === TokKind.num) {
    exprEnd.at = at + 1;
    const value = buf.value[at]!;
    return Number.isNaN(value) ? buf.bigs.get(at)! : value;
  }
  if (kind === TokKind.word) {
    exprEnd.at = at + 1;
    return { kind: 'symbol', name: text.slice(start, end), start: start - base, end: end - base };
  }
  if (kind === TokKind.str) {
    exprEnd.at = at + 1;
    return { kind: 'symbol', name: text.slice(start + 1, end - 1), start: start - base, end: end - base };
  }
  if (kind === TokKind.localRef) {
    exprEnd.at = at + 1;
    return {
      kind: 'local',
      number: Number(text.slice(start, end - 1)),
      forward: text[end - 1] === 'f',
      start: start - base,
      end: end - base,
    };
  }
  if (kind !== TokKind.op || depth > MAX_DEPTH) return undefined;
  const op = buf.value[at]!;
  if (op === OPEN) {
    const inner = binary(buf, text, base, at + 1, 1, depth + 1);
    if (inner === undefined) return undefined;
    if (buf.kind[exprEnd.at] !== TokKind.op || buf.value[exprEnd.at] !== CLOSE) {
      exprEnd.missing = '`)`';
      return undefined;
    }
    exprEnd.at++;
    return inner;
  }
  if (op !== MINUS && op !== PLUS && op !== TILDE && op !== NOT) return undefined;
  const arg = unary(buf, text, base, at + 1, depth + 1);
  if (arg === undefined || op === PLUS) return arg;
  if (op === MINUS && typeof arg === 'number') return arg === 0 ? 0 : -arg;
  if (op === MINUS && typeof arg === 'bigint') return -arg;
  return { kind: 'unary', op: OPS[op]!, arg };
}

/** Calls `visit` for every symbol and numeric-label reference of an expression. */
export function visitSymbols(
  expr: Expr,
  visit: (node: Extract<ExprNode, { kind: 'symbol' | 'local' }>) => void,
): void {
  if (typeof expr !== 'object') return;
  if (expr.kind === 'symbol' || expr.kind === 'local') visit(expr);
  else if (expr.kind === 'unary') visitSymbols(expr.arg, visit);
  else {
    visitSymbols(expr.left, visit);
    visitSymbols(expr.right, visit);
  }
}
