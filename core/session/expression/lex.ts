/** A token of an expression; `at` and `end` are UTF-16 offsets in its text. */
export interface ExprToken {
  readonly kind: 'number' | 'name' | 'string' | 'op' | 'end';
  readonly text: string;
  readonly at: number;
  readonly end: number;
}

/** What is wrong with an expression, where, and what would be right. A value, never thrown. */
export interface ExprError {
  readonly message: string;
  readonly at: number;
}

/** Longest expression that is looked at, in UTF-16 units: a limit against hostile input. */
export const MAX_EXPRESSION_LENGTH = 4096;

/** Operators of three, two and one characters, longest first. `s<` and its kin are names to the lexer. */
const OPERATORS: readonly string[] = [
  ...['<<=', '>>='],
  ...['<<', '>>', '<=', '>=', '==', '!=', '&&', '||', '+=', '-=', '*=', '/=', '%=', '&=', '|=', '^='],
  ...['+', '-', '*', '/', '%', '&', '|', '^', '~', '!', '<', '>', '=', '?', ':', '(', ')', '[', ']', ','],
];

const SPACE = /\s*/y;
const NUMBER = /(?:0[xX][0-9a-fA-F]+|0[bB][01]+|[0-9]+)(?:[uU]?[lL]{0,2})(?![\w.])/y;
const NAME = /[A-Za-z_.$][\w.$]*/y;
const STRING = /"[^"\n]*"/y;

/**
 * Cuts the text of an expression into tokens, the last of kind `end`.
 * Never throws: a character that begins no token, or too long a text, is an `ExprError`.
 */
export function lexExpression(text: string): readonly ExprToken[] | ExprError {
  if (text.length > MAX_EXPRESSION_LENGTH) {
    return {
      message: `the expression has ${text.length} characters; at most ${MAX_EXPRESSION_LENGTH} are allowed`,
      at: 0,
    };
  }
  const tokens: ExprToken[] = [];
  let at = matchAt(SPACE, text, 0);
  while (at < text.length) {
    const token = tokenAt(text, at);
    if (token === undefined) return unexpectedCharacter(text, at);
    tokens.push(token);
    at = matchAt(SPACE, text, token.end);
  }
  tokens.push({ kind: 'end', text: '', at, end: at });
  return tokens;
}

function tokenAt(text: string, at: number): ExprToken | undefined {
  for (const [kind, pattern] of [
    ['number', NUMBER],
    ['name', NAME],
    ['string', STRING],
  ] as const) {
    const end = matchAt(pattern, text, at);
    if (end > at) return { kind, text: text.slice(at, end), at, end };
  }
  const operator = OPERATORS.find((word) => text.startsWith(word, at));
  return operator === undefined ? undefined : { kind: 'op', text: operator, at, end: at + operator.length };
}

/** End of the match of a sticky pattern at `at`, or `at` itself where there is none. */
function matchAt(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  const match = pattern.exec(text);
  return match === null ? at : at + match[0].length;
}

function unexpectedCharacter(text: string, at: number): ExprError {
  const rest = text.slice(at);
  const word = /^[\w.]+/.exec(rest)?.[0];
  if (word !== undefined) {
    return { message: `"${word.slice(0, 40)}" is no number; write 10, 0x1f or 0b101`, at };
  }
  if (rest.startsWith('"')) {
    return { message: 'the string has no end; write the bytes in hex between two quotes: "0a000001"', at };
  }
  return {
    message: `unexpected character ${JSON.stringify(String.fromCodePoint(rest.codePointAt(0) ?? 0))}`,
    at,
  };
}
