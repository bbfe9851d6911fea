import { type ExpressionAt, matchAt, rangeOf } from './expression-at.ts';

/** `M[3]`, or a register of its own: `x`, `%x`; neither `#x` nor a word that only contains the letter. */
const REGISTER = /\bm\s*\[\s*(\w+)\s*\]|(?<![#\w.])%?[ax](?![\w.]|\s*:)/gi;
/** A jump's mnemonic and what it compares with: what follows are labels, and they may be called `a` or `x`. */
const JUMP = /^(?:\s*(?:\w+\s*:|\(\d+\)))?\s*j\w+[^,]*/i;
const JUMP_ALWAYS = /^(?:\s*(?:\w+\s*:|\(\d+\)))?\s*(?:ja|jmp)\b/i;

/**
 * The register of classic BPF under column `column` of `line`, as an expression of the debug adapter: `A`, `X`,
 * `M[3]` also on its `M`. Undefined for everything else, so that the language's own hover shows.
 */
export function classicExpressionAt(line: string, column: number): ExpressionAt | undefined {
  const code = line.replace(/\/\*.*?(?:\*\/|$)|;.*$/g, (text) => ' '.repeat(text.length));
  const match = matchAt(REGISTER, code, column);
  if (match === undefined) return undefined;
  const [text, word] = match;
  if (word !== undefined) return { ...rangeOf(match), expression: `M[${word}]` };
  if (JUMP_ALWAYS.test(code)) return undefined;
  const jump = JUMP.exec(code);
  if (jump !== null && match.index >= jump[0].length) return undefined;
  return { ...rangeOf(match), expression: text.replace('%', '').toUpperCase() };
}
