import {
  type CompletionItem,
  CompletionItemKind,
  type CompletionParams,
  MarkupKind,
} from 'vscode-languageserver';
import { EXTENSIONS } from '#core/cbpf/extensions.ts';
import type { ClassicToken } from '#core/cbpf/lexer.ts';
import { CLASSIC_NAMES, rowsNamed } from '#core/cbpf/table.ts';
import { lineAt, offsetAt, rangeOf } from '../line-index.ts';
import type { ClassicSnapshot } from './documents.ts';
import { extensionMarkdown } from './hover.ts';

/** `textDocument/completion` of classic BPF: instructions, extensions behind `#`, labels behind a jump. */
export function classicCompletion(
  snapshot: ClassicSnapshot,
  { position }: CompletionParams,
): CompletionItem[] {
  const offset = offsetAt(snapshot.index, position);
  const { value } = snapshot.source();
  if (value.form !== 'asm') return [];
  const inside = value.tokens.find(({ start, end }) => offset > start && offset < end);
  if (inside?.kind === 'comment') return [];
  const lineStart = snapshot.index.starts[lineAt(snapshot.index, offset)] ?? 0;
  const before = value.tokens.filter(
    ({ kind, start, end }) => start >= lineStart && end <= offset && kind !== 'space',
  );
  if (before.at(-1)?.kind === 'comment' && before.at(-1)?.text.startsWith(';')) return [];
  const words = before.filter(({ kind }) => kind !== 'comment');
  const last = words.at(-1);
  const typed = last?.kind === 'word' && last.end === offset ? words.pop() : undefined;
  const start = typed?.start ?? offset;
  const item = (label: string, more: Partial<CompletionItem>, from = start): CompletionItem => ({
    label,
    ...more,
    textEdit: { range: rangeOf(snapshot.index, { start: from, end: offset }), newText: label },
  });
  const name = instructionOf(words);
  if (name === undefined) {
    return CLASSIC_NAMES.map((each) => item(each, { kind: CompletionItemKind.Keyword, ...describe(each) }));
  }
  const modes = rowsNamed(name).map(({ row }) => row.mode);
  const previous = words.at(-1);
  if (previous?.text === '#' && previous.end === start) {
    return extensionItems(modes).map(([word, text]) =>
      item(
        `#${word}`,
        {
          kind: CompletionItemKind.Constant,
          documentation: { kind: MarkupKind.Markdown, value: text },
        },
        previous.start,
      ),
    );
  }
  const wantsLabel = modes.includes('jump') || (modes.includes('cond_k') && previous?.text === ',');
  if (!wantsLabel) return [];
  return value.labels
    .filter(({ range }) => range.start > offset)
    .map(({ name: label, index }) =>
      item(label, { kind: CompletionItemKind.Reference, detail: `instruction ${index}` }),
    );
}

/** The instruction whose operands come next; undefined where an instruction begins. */
function instructionOf(words: readonly ClassicToken[]): string | undefined {
  const from = words.findLastIndex(({ text }) => text === ':') + 1;
  const name = words
    .slice(from)
    .find(({ kind }) => kind === 'word')
    ?.text.toLowerCase();
  return name !== undefined && rowsNamed(name).length > 0 ? name : undefined;
}

function extensionItems(modes: readonly string[]): (readonly [string, string])[] {
  const items: (readonly [string, string])[] = [];
  if (modes.includes('len')) items.push(['len', 'length of the packet']);
  if (!modes.includes('abs')) return items;
  for (const extension of EXTENSIONS) {
    if (extension.word !== undefined) items.push([extension.word, extensionMarkdown(extension)]);
  }
  return items;
}

function describe(name: string): Pick<CompletionItem, 'detail' | 'documentation'> {
  const rows = rowsNamed(name);
  const text = rows
    .map(
      ({ row, inverted }) =>
        `- ${inverted ? `\`${row.name}\` with the condition turned round: ` : ''}${row.meaning}`,
    )
    .join('\n');
  return { documentation: { kind: MarkupKind.Markdown, value: text } };
}
