import { OPERATORS } from '../isa/template.ts';

/**
 * Splits one line into tokens, kept as parallel arrays that are used again for every line: a parser
 * that allocates nothing per token is what makes a million lines a second possible.
 */

/** What a token is to the lexer; what it means is decided by `tokens.ts`. */
export const TokKind = {
  /** End of the line. */
  end: 0,
  word: 1,
  /** `r0`…`r10`, `%r0`…, `%fp`; the number is the token's value. */
  reg: 2,
  /** `w0`…`w10`. */
  wreg: 3,
  /** A number or a character literal. */
  num: 4,
  /** The value is the operator's id. */
  op: 5,
  str: 6,
  /** `1f`, `2b`. */
  localRef: 7,
  comment: 8,
  /** `;` */
  separator: 9,
  bad: 10,
} as const;

/** Tokens of one line. Offsets count from the start of the text that was given. */
export interface TokenBuffer {
  n: number;
  kind: Uint8Array;
  start: Int32Array;
  end: Int32Array;
  /** Register number, operator id, or index into `bigs` + 2^31 for numbers that are not exact as doubles. */
  value: Float64Array;
  /** Values beyond 2^53, by token index. */
  bigs: Map<number, bigint>;
  /** Whether a block comment is still open at the end of the line. */
  inComment: boolean;
  /** Lexical errors: triples are rare, so plain objects. */
  errors: LexError[];
}

/** Something that is no token. */
export interface LexError {
  readonly start: number;
  readonly end: number;
  readonly code: string;
  readonly message: string;
}

const EXTRA_OPERATORS = ['<<', '>>', '|', '^', '~', '!', '%', '/', '@', '{', '}', '?', '&&', '||'];

/** Operators by id. */
export const OPS: readonly string[] = [...new Set([...OPERATORS, ...EXTRA_OPERATORS])];

/** The id of an operator; −1 when there is none of that spelling. */
export function opId(text: string): number {
  return OPS.indexOf(text);
}

/** Maximal munch: for each first character the operators that begin with it, longest first. */
const opsByFirst: (readonly { id: number; text: string }[] | undefined)[] = [];
for (const [id, text] of OPS.entries()) {
  const first = text.charCodeAt(0);
  opsByFirst[first] = [...(opsByFirst[first] ?? []), { id, text }].sort(
    (a, b) => b.text.length - a.text.length,
  );
}
const signedOps = opsByFirst[115] ?? [];
opsByFirst[115] = undefined;

const IDENT_START = 1;
const IDENT = 2;
const DIGIT = 4;
const SPACE = 8;
const CLASS = new Uint8Array(128);
for (let c = 0; c < 128; c++) {
  const ch = String.fromCharCode(c);
  if (/[A-Za-z_.$]/.test(ch)) CLASS[c] = IDENT_START | IDENT;
  if (/[0-9]/.test(ch)) CLASS[c] = IDENT | DIGIT;
  if (/[ \t\r\f\v]/.test(ch)) CLASS[c] = SPACE;
}

/** A buffer to lex into. */
export function createTokenBuffer(): TokenBuffer {
  const size = 64;
  return {
    n: 0,
    kind: new Uint8Array(size),
    start: new Int32Array(size),
    end: new Int32Array(size),
    value: new Float64Array(size),
    bigs: new Map(),
    inComment: false,
    errors: [],
  };
}

function grow(buf: TokenBuffer): void {
  const size = buf.kind.length * 2;
  const kind = new Uint8Array(size);
  kind.set(buf.kind);
  const start = new Int32Array(size);
  start.set(buf.start);
  const end = new Int32Array(size);
  end.set(buf.end);
  const value = new Float64Array(size);
  value.set(buf.value);
  buf.kind = kind;
  buf.start = start;
  buf.end = end;
  buf.value = value;
}

function push(buf: TokenBuffer, kind: number, start: number, end: number, value: number): void {
  if (buf.n + 1 >= buf.kind.length) grow(buf);
  const i = buf.n++;
  buf.kind[i] = kind;
  buf.start[i] = start;
  buf.end[i] = end;
  buf.value[i] = value;
}

/** Whether UTF-16 unit `c` may stand in a symbol behind its first character. */
function isIdentChar(c: number): boolean {
  return c < 128 ? (CLASS[c]! & IDENT) !== 0 : c !== 0x2028 && c !== 0x2029 && c !== 0xfeff && c !== 0xa0;
}

let keepComments = false;

/**
 * Lexes `text` from `from` to `to` (one line, without its line feed) into `buf`, whose former tokens
 * are gone. `inComment`: the line begins inside a block comment. A token of kind `end` closes the list.
 * Comments become tokens only with `comments`.
 */
export function lexLine(
  buf: TokenBuffer,
  text: string,
  from: number,
  to: number,
  inComment: boolean,
  comments = false,
): void {
  keepComments = comments;
  buf.n = 0;
  buf.inComment = false;
  if (buf.errors.length) buf.errors = [];
  if (buf.bigs.size) buf.bigs.clear();
  let at = from;
  if (inComment) {
    const close = text.indexOf('*/', at);
    const end = close < 0 || close + 2 > to ? to : close + 2;
    if (comments && end > at) push(buf, TokKind.comment, at, end, 0);
    buf.inComment = close < 0 || close + 2 > to;
    at = end;
  }
  while (at < to) {
    const c = text.charCodeAt(at);
    const cls = c < 128 ? CLASS[c]! : IDENT_START | IDENT;
    if (cls & SPACE) {
      at++;
    } else if (cls & IDENT_START) {
      at = lexWord(buf, text, at, to, c);
    } else if (cls & DIGIT) {
      at = lexNumber(buf, text, at, to);
    } else {
      at = lexOther(buf, text, at, to, c);
    }
  }
  if (buf.n + 1 >= buf.kind.length) grow(buf);
  buf.kind[buf.n] = TokKind.end;
  buf.start[buf.n] = to;
  buf.end[buf.n] = to;
}

function lexWord(buf: TokenBuffer, text: string, at: number, to: number, c: number): number {
  if (c > 127 && !isIdentChar(c)) return at + 1;
  // `s>=` and its like are one operator
  if (c === 115 && at + 1 < to) {
    const next = text.charCodeAt(at + 1);
    if (next === 62 || next === 60 || next === 47 || next === 37) {
      for (const { id, text: op } of signedOps) {
        if (text.startsWith(op, at) && at + op.length <= to) {
          push(buf, TokKind.op, at, at + op.length, id);
          return at + op.length;
        }
      }
    }
  }
  let end = at + 1;
  while (end < to && isIdentChar(text.charCodeAt(end))) end++;
  const len = end - at;
  const lower = c | 32;
  if ((lower === 114 || lower === 119) && len <= 3 && len > 1) {
    const number = registerNumber(text, at + 1, end);
    if (number >= 0) {
      push(buf, lower === 114 ? TokKind.reg : TokKind.wreg, at, end, number);
      return end;
    }
  }
  push(buf, TokKind.word, at, end, 0);
  return end;
}

function registerNumber(text: string, at: number, end: number): number {
  const a = text.charCodeAt(at) - 48;
  if (a < 0 || a > 9) return -1;
  if (end - at === 1) return a;
  const b = text.charCodeAt(at + 1) - 48;
  return a === 1 && b >= 0 && b <= 9 ? 10 + b : -1;
}

function lexNumber(buf: TokenBuffer, text: string, at: number, to: number): number {
  let end = at + 1;
  let value = text.charCodeAt(at) - 48;
  while (end < to) {
    const d = text.charCodeAt(end) - 48;
    if (d < 0 || d > 9) break;
    value = value * 10 + d;
    end++;
  }
  const next = end < to ? text.charCodeAt(end) : 0;
  if (
    value <= Number.MAX_SAFE_INTEGER &&
    (end - at === 1 || text.charCodeAt(at) !== 48) &&
    !isIdentChar(next)
  ) {
    push(buf, TokKind.num, at, end, value);
    return end;
  }
  return lexOddNumber(buf, text, at, to);
}

/** Hexadecimal, binary, octal, very large, suffixed, or a reference to a numeric label. */
function lexOddNumber(buf: TokenBuffer, text: string, at: number, to: number): number {
  let end = at + 1;
  while (end < to && isIdentChar(text.charCodeAt(end))) end++;
  const spelling = text.slice(at, end);
  if (/^\d+[fb]$/.test(spelling)) {
    push(buf, TokKind.localRef, at, end, 0);
    return end;
  }
  const digits = spelling.replace(/[uUlL]+$/, '');
  let value: bigint | undefined;
  if (/^0[xX][0-9a-fA-F]+$/.test(digits) || /^0[bB][01]+$/.test(digits)) value = BigInt(digits.toLowerCase());
  else if (/^0[0-7]*$/.test(digits)) value = BigInt(`0o${digits}`);
  else if (/^[1-9]\d*$/.test(digits)) value = BigInt(digits);
  if (value === undefined) {
    const octal = /^0\d+$/.test(digits);
    buf.errors.push({
      start: at,
      end,
      code: 'bad-number',
      message: octal
        ? `\`${spelling}\` is not a number: a leading 0 means octal, digits 0 to 7; write ${digits.replace(/^0+/, '')}`
        : `\`${spelling}\` is not a number; write decimal (26), hexadecimal (0x1a), binary (0b11010) or octal (032)`,
    });
    push(buf, TokKind.bad, at, end, 0);
    return end;
  }
  if (value <= BigInt(Number.MAX_SAFE_INTEGER)) {
    push(buf, TokKind.num, at, end, Number(value));
  } else {
    push(buf, TokKind.num, at, end, Number.NaN);
    buf.bigs.set(buf.n - 1, value);
  }
  return end;
}

function lexOther(buf: TokenBuffer, text: string, at: number, to: number, c: number): number {
  if (c === 35) {
    if (keepComments) push(buf, TokKind.comment, at, to, 0);
    return to;
  }
  if (c === 47 && at + 1 < to) {
    const next = text.charCodeAt(at + 1);
    if (next === 47) {
      if (keepComments) push(buf, TokKind.comment, at, to, 0);
      return to;
    }
    if (next === 42) {
      const close = text.indexOf('*/', at + 2);
      const open = close < 0 || close + 2 > to;
      const end = open ? to : close + 2;
      if (keepComments) push(buf, TokKind.comment, at, end, 0);
      buf.inComment = open;
      return end;
    }
  }
  if (c === 59) {
    push(buf, TokKind.separator, at, at + 1, 0);
    return at + 1;
  }
  if (c === 34) return lexString(buf, text, at, to);
  if (c === 39) return lexChar(buf, text, at, to);
  if (c === 37) {
    const end = gnuRegister(buf, text, at, to);
    if (end > at) return end;
  }
  const ops = opsByFirst[c];
  if (ops) {
    for (const { id, text: op } of ops) {
      if ((op.length === 1 || text.startsWith(op, at)) && at + op.length <= to) {
        push(buf, TokKind.op, at, at + op.length, id);
        return at + op.length;
      }
    }
  }
  buf.errors.push({
    start: at,
    end: at + 1,
    code: 'bad-character',
    message: `the character \`${text[at]}\` has no meaning here`,
  });
  push(buf, TokKind.bad, at, at + 1, 0);
  return at + 1;
}

function gnuRegister(buf: TokenBuffer, text: string, at: number, to: number): number {
  let end = at + 1;
  while (end < to && isIdentChar(text.charCodeAt(end))) end++;
  const len = end - at;
  if (len < 3 || len > 4) return at;
  const first = text.charCodeAt(at + 1) | 32;
  if (first === 102 && len === 3 && (text.charCodeAt(at + 2) | 32) === 112) {
    push(buf, TokKind.reg, at, end, 10);
    return end;
  }
  if (first !== 114 && first !== 119) return at;
  const number = registerNumber(text, at + 2, end);
  if (number < 0) return at;
  push(buf, first === 114 ? TokKind.reg : TokKind.wreg, at, end, number);
  return end;
}

function lexString(buf: TokenBuffer, text: string, at: number, to: number): number {
  let end = at + 1;
  while (end < to) {
    const c = text.charCodeAt(end);
    if (c === 92) end += 2;
    else if (c === 34) {
      push(buf, TokKind.str, at, end + 1, 0);
      return end + 1;
    } else end++;
  }
  buf.errors.push({ start: at, end: to, code: 'open-string', message: 'the string has no closing `"`' });
  push(buf, TokKind.bad, at, to, 0);
  return to;
}

const CHAR_ESCAPES: Record<string, number> = {
  n: 10,
  t: 9,
  r: 13,
  b: 8,
  f: 12,
  '0': 0,
  '\\': 92,
  "'": 39,
  '"': 34,
};

function lexChar(buf: TokenBuffer, text: string, at: number, to: number): number {
  const escaped = text[at + 1] === '\\';
  const close = at + (escaped ? 3 : 2);
  const other = text.indexOf("'", at + 1);
  const badEnd = other > 0 && other < to ? other + 1 : Math.min(to, close + 1);
  const value = escaped ? CHAR_ESCAPES[text[at + 2] ?? ''] : text.charCodeAt(at + 1);
  if (close < to && text[close] === "'" && value !== undefined) {
    push(buf, TokKind.num, at, close + 1, value);
    return close + 1;
  }
  buf.errors.push({
    start: at,
    end: badEnd,
    code: 'bad-character-literal',
    message: "a character literal is one character between quotes: 'A', '\\n', '\\\\'",
  });
  push(buf, TokKind.bad, at, badEnd, 0);
  return badEnd;
}
