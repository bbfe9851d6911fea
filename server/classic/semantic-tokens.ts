import type { SemanticTokensBuilder } from 'vscode-languageserver';
import { extensionByWord } from '#core/cbpf/extensions.ts';
import type { ClassicToken } from '#core/cbpf/lexer.ts';
import type { ClassicProgram } from '#core/cbpf/program.ts';
import { rowsNamed } from '#core/cbpf/table.ts';
import { type Meaning, pushToken } from '../features/semantic-tokens.ts';
import type { ClassicSnapshot } from './documents.ts';

/** Tokens of classic BPF, in any of its forms. */
export function pushClassicTokens(
  builder: SemanticTokensBuilder,
  { index, source }: ClassicSnapshot,
  from: number,
  to: number,
): void {
  const { value } = source();
  if (value.form === 'dd' || value.form === 'ddd') {
    for (const token of numericTokens(value.text)) {
      if (token.start <= to && token.start + token.text.length >= from) {
        pushToken(builder, index, token, token.meaning);
      }
    }
    return;
  }
  const uses = new Set(value.uses.map(({ range }) => range.start));
  let previous: ClassicToken | undefined;
  let numbering = false;
  for (const token of value.tokens) {
    numbering = value.form === 'd' && (token.first ? token.text === '(' : numbering);
    const known = token.kind === 'space' ? undefined : meaningOf(value, token, previous, uses);
    // The number in front of a listing's line is of no meaning to the program.
    const meaning: Meaning | undefined = numbering ? ['comment'] : known;
    if (token.text === ')') numbering = false;
    if (meaning !== undefined && token.start <= to && token.end >= from) {
      pushToken(builder, index, token, meaning);
    }
    if (token.kind !== 'space' && token.kind !== 'comment') previous = token;
  }
}

function meaningOf(
  { labels }: ClassicProgram,
  token: ClassicToken,
  previous: ClassicToken | undefined,
  uses: ReadonlySet<number>,
): Meaning | undefined {
  switch (token.kind) {
    case 'comment':
      return ['comment'];
    case 'number':
      return ['number'];
    case 'punct':
      // `#` belongs to what it stands before.
      return token.text === '#' ? undefined : ['operator'];
    case 'word':
      break;
    default:
      return undefined;
  }
  if (uses.has(token.start)) return ['label'];
  if (labels.some(({ range }) => range.start === token.start)) return ['label', 'declaration'];
  const word = token.text.toLowerCase();
  if (
    previous?.text === '#' &&
    (word === 'len' || word === 'pktlen' || extensionByWord(word) !== undefined)
  ) {
    return ['enumMember', 'readonly', 'defaultLibrary'];
  }
  if (word === 'a' || word === 'x') return ['variable'];
  if (word === 'm') return ['variable', 'static'];
  if (word === 'jt' || word === 'jf' || rowsNamed(word).length > 0) return ['keyword'];
  if (extensionByWord(word) !== undefined) return ['enumMember', 'readonly', 'defaultLibrary'];
  // x10 and b101 are numbers too
  return /^(x[0-9a-f]+|b[01]+)$/.test(word) ? ['number'] : undefined;
}

function* numericTokens(text: string): Iterable<{ start: number; text: string; meaning: Meaning }> {
  const pattern = /(\/\*[\s\S]*?(?:\*\/|$)|\/\/[^\n]*)|\b(0x[0-9a-f]+|\d+)\b|\b(struct|static|const)\b/gi;
  for (const { index, 0: found, 1: comment, 2: number } of text.matchAll(pattern)) {
    const meaning: Meaning =
      comment !== undefined ? ['comment'] : number !== undefined ? ['number'] : ['keyword'];
    yield { start: index, text: found, meaning };
  }
}
