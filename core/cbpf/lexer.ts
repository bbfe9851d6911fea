import type { TextRange } from '../object/object.ts';

/**
 * Tokens of the bpf_asm language. `space` and `comment` are trivia: all tokens together are the text,
 * character by character. `bad` is a character or an unclosed comment that the language does not know.
 */
export type ClassicTokenKind = 'space' | 'comment' | 'word' | 'number' | 'punct' | 'bad';

export interface ClassicToken extends TextRange {
  readonly kind: ClassicTokenKind;
  readonly text: string;
  /** First token of its line that is not trivia. */
  readonly first: boolean;
}

const PATTERN =
  /(?<space>\s+)|(?<comment>;[^\n]*|\/\*[\s\S]*?\*\/)|(?<number>\d\w*)|(?<word>[A-Za-z_.]\w*)|(?<punct>[#[\]+\-*()&,:%{}])|(?<bad>\/\*[\s\S]*|[\uD800-\uDBFF][\uDC00-\uDFFF]|[\s\S])/gy;

/** Splits a text into tokens; linear in its length. */
export function lexClassic(text: string): readonly ClassicToken[] {
  const tokens: ClassicToken[] = [];
  let first = true;
  for (const match of text.matchAll(PATTERN)) {
    const kind = kindOf(match.groups);
    const [found] = match;
    tokens.push({ kind, text: found, start: match.index, end: match.index + found.length, first });
    if (kind === 'space' || kind === 'comment') first ||= found.includes('\n');
    else first = false;
  }
  return tokens;
}

/** Most characters of a word that a message repeats. */
const MAX_SHOWN = 60;

/** A word of the text as messages show it: a file that is no filter may be one word of a megabyte. */
export function shownWord(text: string): string {
  return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN - 1)}…`;
}

function kindOf(groups: Record<string, string | undefined> | undefined): ClassicTokenKind {
  const kinds: readonly ClassicTokenKind[] = ['space', 'comment', 'number', 'word', 'punct'];
  return kinds.find((kind) => groups?.[kind] !== undefined) ?? 'bad';
}

/**
 * The value of a number token as the language reads it: decimal, `0x1f`, `0b101`, octal with a leading
 * 0. undefined: no number, or beyond 32 bits.
 */
export function classicNumber(text: string): number | undefined {
  let value = Number.NaN;
  if (/^(0|[1-9]\d*)$/.test(text)) value = Number(text);
  else if (/^0[xX][0-9a-fA-F]+$/.test(text)) value = Number(text);
  else if (/^0[bB][01]+$/.test(text)) value = Number(text);
  else if (/^0[0-7]+$/.test(text)) value = Number.parseInt(text, 8);
  // the language's own tool also takes them without the 0
  else if (/^x[0-9a-fA-F]+$/.test(text) || /^b[01]+$/.test(text)) value = Number(`0${text}`);
  return value <= 0xffff_ffff ? value : undefined;
}
