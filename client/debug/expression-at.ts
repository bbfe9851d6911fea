/** An expression in a line of text: UTF-16 columns from 0, `end` exclusive, and what the adapter shall evaluate. */
export interface ExpressionAt {
  readonly start: number;
  readonly end: number;
  readonly expression: string;
}

const REGISTER = /%?\b([rw])(10|[0-9])\b|%fp\b/g;
/** LLVM's operand: `*(u32 *)(r1 + 4)`. */
const MEMORY = /\*\s*\(\s*([us](?:8|16|32|64))\s*\*\s*\)\s*\(\s*(%?r(?:10|\d))\s*(?:([+-])\s*(\w+)\s*)?\)/g;
/** GNU's operand: `[%r1+4]`; the mnemonic tells its size. */
const GNU_MEMORY = /\[\s*(%?r(?:10|\d)|%fp)\s*(?:([+-])\s*(\w+)\s*)?\]/g;
const GNU_MNEMONIC =
  /^\s*(?:[\w.$]+:\s*)*(ldx|st|stx|xadd|xfadd|aadd|aor|aand|axor|afadd|afor|afand|afxor|axchg|acmp|xchg|xcmp)s?(b|h|w|dw|32)?\b/;

const GNU_SIZES: Readonly<Record<string, string>> = { b: 'u8', h: 'u16', w: 'u32', '32': 'u32', dw: 'u64' };

/**
 * The register or memory operand under column `column` of `line`, as an expression of the debug adapter:
 * `r1` for `%r1`, `w1`, `*(u32 *)(r1 + 4)` for that operand and for GNU's `[%r1+4]`. On a register inside an
 * operand it is the register. Undefined in comments and for everything else, so that the language's own
 * hover shows.
 */
export function expressionAt(line: string, column: number): ExpressionAt | undefined {
  const code = withoutComments(line);
  return registerAt(code, column) ?? memoryAt(code, column) ?? gnuMemoryAt(code, column);
}

/** The expression for a register as it is written: `%r1` → `r1`, `%fp` → `r10`. */
function plainRegister(text: string): string {
  return text === '%fp' ? 'r10' : text.replace('%', '');
}

function registerAt(code: string, column: number): ExpressionAt | undefined {
  const match = matchAt(REGISTER, code, column);
  return match && { ...rangeOf(match), expression: plainRegister(match[0]) };
}

function memoryAt(code: string, column: number): ExpressionAt | undefined {
  const match = matchAt(MEMORY, code, column);
  if (!match) return undefined;
  const [, size, register, sign, offset] = match;
  return { ...rangeOf(match), expression: memory(size ?? 'u64', register ?? '', sign, offset) };
}

function gnuMemoryAt(code: string, column: number): ExpressionAt | undefined {
  const match = matchAt(GNU_MEMORY, code, column);
  if (!match) return undefined;
  const size = GNU_SIZES[GNU_MNEMONIC.exec(code)?.[2] ?? 'dw'] ?? 'u64';
  return { ...rangeOf(match), expression: memory(size, match[1] ?? '', match[2], match[3]) };
}

function memory(
  size: string,
  register: string,
  sign: string | undefined,
  offset: string | undefined,
): string {
  const place = sign && offset ? `${plainRegister(register)} ${sign} ${offset}` : plainRegister(register);
  return `*(${size} *)(${place})`;
}

/** The match of a global pattern that holds the column. */
export function matchAt(pattern: RegExp, code: string, column: number): RegExpExecArray | undefined {
  for (const match of code.matchAll(pattern))
    if (match.index <= column && column < match.index + match[0].length) return match;
  return undefined;
}

/** Columns of a match. */
export function rangeOf(match: RegExpExecArray): { start: number; end: number } {
  return { start: match.index, end: match.index + match[0].length };
}

/** The line with spaces in place of its comments and strings, columns unchanged. */
function withoutComments(line: string): string {
  return line.replace(/"(?:[^"\\]|\\.)*"?|\/\*.*?(?:\*\/|$)|(?:#|\/\/).*$/g, (text) =>
    ' '.repeat(text.length),
  );
}
