import { type ExprError, type ExprToken, lexExpression } from './lex.ts';

/** Integer types an expression may name: width in bits, signed, big endian in memory. */
export const INT_TYPES = {
  u8: { bits: 8, signed: false, big: false },
  u16: { bits: 16, signed: false, big: false },
  u32: { bits: 32, signed: false, big: false },
  u64: { bits: 64, signed: false, big: false },
  s8: { bits: 8, signed: true, big: false },
  s16: { bits: 16, signed: true, big: false },
  s32: { bits: 32, signed: true, big: false },
  s64: { bits: 64, signed: true, big: false },
  be16: { bits: 16, signed: false, big: true },
  be32: { bits: 32, signed: false, big: true },
  be64: { bits: 64, signed: false, big: true },
} as const;

/** Name of an integer type: `u8` … `be64`. */
export type IntType = keyof typeof INT_TYPES;

/** Syntax tree of an expression; `at` is where a message about the node points. */
export type Expr =
  | { readonly kind: 'number'; readonly value: bigint; readonly at: number }
  | { readonly kind: 'string'; readonly text: string; readonly at: number }
  | { readonly kind: 'name'; readonly name: string; readonly at: number }
  | { readonly kind: 'unary'; readonly op: string; readonly operand: Expr; readonly at: number }
  | {
      readonly kind: 'binary';
      readonly op: string;
      readonly left: Expr;
      readonly right: Expr;
      readonly at: number;
    }
  | {
      readonly kind: 'conditional';
      readonly test: Expr;
      readonly then: Expr;
      readonly otherwise: Expr;
      readonly at: number;
    }
  | { readonly kind: 'cast'; readonly type: IntType; readonly operand: Expr; readonly at: number }
  | { readonly kind: 'deref'; readonly type: IntType; readonly operand: Expr; readonly at: number }
  | { readonly kind: 'index'; readonly target: Expr; readonly index: Expr; readonly at: number }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Expr[]; readonly at: number }
  | {
      readonly kind: 'assign';
      /** The operator before `=`; empty for a plain assignment. */
      readonly op: string;
      readonly target: Expr;
      readonly value: Expr;
      readonly at: number;
    };

/** A tree, or what is wrong and where. */
export type ParsedExpression =
  | { readonly ok: true; readonly expr: Expr }
  | { readonly ok: false; readonly error: ExprError };

/** Nesting of parentheses, prefixes and operands beyond which an expression is refused. */
const MAX_DEPTH = 100;

/** C's precedence; `s<` and its kin are BPF's signed comparisons. */
const PRECEDENCE: ReadonlyMap<string, number> = new Map([
  ['||', 1],
  ['&&', 2],
  ['|', 3],
  ['^', 4],
  ['&', 5],
  ['==', 6],
  ['!=', 6],
  ['<', 7],
  ['>', 7],
  ['<=', 7],
  ['>=', 7],
  ['s<', 7],
  ['s>', 7],
  ['s<=', 7],
  ['s>=', 7],
  ['<<', 8],
  ['>>', 8],
  ['+', 9],
  ['-', 9],
  ['*', 10],
  ['/', 10],
  ['%', 10],
]);

const ASSIGNMENTS = new Set(['=', '+=', '-=', '*=', '/=', '%=', '&=', '|=', '^=', '<<=', '>>=']);
const U64_MAX = 0xffff_ffff_ffff_ffffn;

/**
 * Parses an expression of the debugger (grammar in `docs/debugging.md`): C's operators and precedence
 * over registers, numbers, constants, memory accesses `*(u32 *)(r1 + 4)`, casts, map lookups `ports[80]`.
 * Never throws; whatever is wrong comes back as a message with its place.
 */
export function parseExpression(text: string): ParsedExpression {
  const tokens = lexExpression(text);
  if (!Array.isArray(tokens)) return { ok: false, error: tokens as ExprError };
  const state: ParserState = { tokens, pos: 0, depth: 0, error: undefined };
  const expr = parseAssignment(state);
  if (state.error === undefined && peek(state).kind !== 'end') {
    fail(state, `unexpected ${show(peek(state))}; an operator or the end was expected`);
  }
  if (state.error !== undefined || expr === undefined) {
    return { ok: false, error: state.error ?? { message: 'no expression', at: 0 } };
  }
  return { ok: true, expr };
}

interface ParserState {
  readonly tokens: readonly ExprToken[];
  pos: number;
  depth: number;
  error: ExprError | undefined;
}

const END: ExprToken = { kind: 'end', text: '', at: 0, end: 0 };

function peek(state: ParserState, ahead = 0): ExprToken {
  return state.tokens[Math.min(state.pos + ahead, state.tokens.length - 1)] ?? END;
}

function isOp(state: ParserState, text: string, ahead = 0): boolean {
  const token = peek(state, ahead);
  return token.kind === 'op' && token.text === text;
}

function takeOp(state: ParserState, text: string): boolean {
  if (!isOp(state, text)) return false;
  state.pos++;
  return true;
}

/** Keeps the first error only; returns undefined so that callers can `return fail(…)`. */
function fail(state: ParserState, message: string, at = peek(state).at): undefined {
  state.error ??= { message, at };
  return undefined;
}

function show(token: ExprToken): string {
  return token.kind === 'end' ? 'end of the expression' : `"${token.text}"`;
}

function parseAssignment(state: ParserState): Expr | undefined {
  const target = parseConditional(state);
  const token = peek(state);
  if (target === undefined || token.kind !== 'op' || !ASSIGNMENTS.has(token.text)) return target;
  state.pos++;
  const value = parseConditional(state);
  if (value === undefined) return undefined;
  return { kind: 'assign', op: token.text.slice(0, -1), target, value, at: token.at };
}

function parseConditional(state: ParserState): Expr | undefined {
  if (++state.depth > MAX_DEPTH) return fail(state, `nested more than ${MAX_DEPTH} deep`);
  const test = parseBinary(state, 1);
  const question = peek(state);
  let result = test;
  if (test !== undefined && takeOp(state, '?')) {
    const then = parseConditional(state);
    if (then === undefined) return undefined;
    if (!takeOp(state, ':')) return fail(state, `":" expected before ${show(peek(state))}: a ? b : c`);
    const otherwise = parseConditional(state);
    if (otherwise === undefined) return undefined;
    result = { kind: 'conditional', test, then, otherwise, at: question.at };
  }
  state.depth--;
  return result;
}

function parseBinary(state: ParserState, minimum: number): Expr | undefined {
  let left = parseUnary(state);
  while (left !== undefined) {
    const op = binaryOperator(state);
    const precedence = op === undefined ? 0 : (PRECEDENCE.get(op.text) ?? 0);
    if (op === undefined || precedence < minimum) return left;
    state.pos += op.length;
    const right = parseBinary(state, precedence + 1);
    if (right === undefined) return undefined;
    left = { kind: 'binary', op: op.text, left, right, at: op.at };
  }
  return undefined;
}

/** The binary operator here; a name `s` right before `<` or `>` makes a signed comparison. */
function binaryOperator(state: ParserState): { text: string; length: number; at: number } | undefined {
  const token = peek(state);
  const next = peek(state, 1);
  if (token.kind === 'name' && token.text === 's' && next.kind === 'op' && next.at === token.end) {
    const text = `s${next.text}`;
    return PRECEDENCE.has(text) ? { text, length: 2, at: token.at } : undefined;
  }
  if (token.kind !== 'op') return undefined;
  return PRECEDENCE.has(token.text) ? { text: token.text, length: 1, at: token.at } : undefined;
}

function parseUnary(state: ParserState): Expr | undefined {
  if (++state.depth > MAX_DEPTH) return fail(state, `nested more than ${MAX_DEPTH} deep`);
  const result = parseUnaryHere(state);
  state.depth--;
  return result;
}

function parseUnaryHere(state: ParserState): Expr | undefined {
  const token = peek(state);
  if (token.kind === 'op') {
    if (['-', '+', '~', '!', '&'].includes(token.text)) {
      state.pos++;
      const operand = parseUnary(state);
      return operand && { kind: 'unary', op: token.text, operand, at: token.at };
    }
    if (token.text === '*') return parseDeref(state);
    if (token.text === '(') {
      const type = typeInParentheses(state);
      if (type?.pointer === true) {
        return fail(state, `a pointer cast needs a * in front: *(${type.name} *)(r1 + 4)`);
      }
      if (type !== undefined) {
        state.pos += 3;
        const operand = parseUnary(state);
        return operand && { kind: 'cast', type: type.name, operand, at: token.at };
      }
    }
  }
  return parsePostfix(state);
}

function parseDeref(state: ParserState): Expr | undefined {
  const at = peek(state).at;
  state.pos++;
  const type = typeInParentheses(state);
  if (type === undefined || !type.pointer) {
    return fail(
      state,
      'say how much to read: *(u8 *), *(u16 *), *(u32 *), *(u64 *), s8…s64 or be16…be64',
      at,
    );
  }
  state.pos += 4;
  const operand = parseUnary(state);
  return operand && { kind: 'deref', type: type.name, operand, at };
}

/** `(u32)` or `(u32 *)` at the current place, not consumed. */
function typeInParentheses(state: ParserState): { name: IntType; pointer: boolean } | undefined {
  const name = peek(state, 1);
  if (!isOp(state, '(') || name.kind !== 'name') return undefined;
  const type = intType(name.text);
  if (type === undefined) return undefined;
  if (isOp(state, ')', 2)) return { name: type, pointer: false };
  return isOp(state, '*', 2) && isOp(state, ')', 3) ? { name: type, pointer: true } : undefined;
}

/** `u32`, and the kernel's `__u32`, `__be16`. */
function intType(text: string): IntType | undefined {
  const name = text.startsWith('__') ? text.slice(2) : text;
  return Object.hasOwn(INT_TYPES, name) ? (name as IntType) : undefined;
}

function parsePostfix(state: ParserState): Expr | undefined {
  let expr = parsePrimary(state);
  while (expr !== undefined && isOp(state, '[')) {
    const at = peek(state).at;
    state.pos++;
    const index = parseConditional(state);
    if (index === undefined) return undefined;
    if (!takeOp(state, ']')) return fail(state, `"]" expected before ${show(peek(state))}`);
    expr = { kind: 'index', target: expr, index, at };
  }
  return expr;
}

function parsePrimary(state: ParserState): Expr | undefined {
  const token = peek(state);
  if (token.kind === 'number') return parseNumber(state, token);
  if (token.kind === 'string') {
    state.pos++;
    return { kind: 'string', text: token.text.slice(1, -1), at: token.at };
  }
  if (token.kind === 'name') {
    state.pos++;
    return takeOp(state, '(')
      ? parseArguments(state, token)
      : { kind: 'name', name: token.text, at: token.at };
  }
  // Here an operand must stand, so that `%` can only be the prefix of a register in the GNU dialect.
  if (isOp(state, '%') && peek(state, 1).kind === 'name') {
    state.pos++;
    const name = peek(state);
    state.pos++;
    return { kind: 'name', name: name.text, at: token.at };
  }
  if (takeOp(state, '(')) {
    const inner = parseConditional(state);
    if (inner === undefined) return undefined;
    if (!takeOp(state, ')')) return fail(state, `")" expected before ${show(peek(state))}`);
    return inner;
  }
  return fail(state, `a register, number, constant, map or "(" expected, not ${show(token)}`);
}

function parseNumber(state: ParserState, token: ExprToken): Expr | undefined {
  const digits = token.text.replace(/[uUlL]+$/, '');
  const value = BigInt(digits);
  if (value > U64_MAX) {
    return fail(state, `${token.text} does not fit in 64 bits; the largest value is 0xffffffffffffffff`);
  }
  state.pos++;
  return { kind: 'number', value, at: token.at };
}

function parseArguments(state: ParserState, name: ExprToken): Expr | undefined {
  const args: Expr[] = [];
  if (!takeOp(state, ')')) {
    do {
      const arg = parseConditional(state);
      if (arg === undefined) return undefined;
      args.push(arg);
    } while (takeOp(state, ','));
    if (!takeOp(state, ')')) return fail(state, `")" expected before ${show(peek(state))}`);
  }
  return { kind: 'call', name: name.text, args, at: name.at };
}
