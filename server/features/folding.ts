import { type FoldingRange, FoldingRangeKind } from 'vscode-languageserver';
import type { Snapshot } from '../documents.ts';
import { lineAt } from '../line-index.ts';
import {
  definitionsWithin,
  functionSpans,
  programsByName,
  sectionBlocks,
  sortedDefinitions,
} from '../structure.ts';

/** `textDocument/foldingRange`: sections, functions, and comments of several lines. */
export function foldingRanges(snapshot: Snapshot): FoldingRange[] {
  const blocks = sectionBlocks(snapshot);
  const definitions = sortedDefinitions(snapshot);
  const programs = programsByName(snapshot);
  const spans = [
    ...blocks.filter(({ name }) => name !== undefined),
    ...blocks.flatMap((block) => functionSpans(block, definitionsWithin(definitions, block), programs)),
  ];
  const folds = spans.flatMap(({ start, end }) => fold(snapshot, start, end));
  return [...folds, ...commentFolds(snapshot)];
}

function fold(snapshot: Snapshot, start: number, end: number, kind?: FoldingRangeKind): FoldingRange[] {
  const text = snapshot.index.text.slice(start, end).trimEnd();
  const startLine = lineAt(snapshot.index, start);
  const endLine = lineAt(snapshot.index, start + text.length);
  if (endLine <= startLine) return [];
  return [{ startLine, endLine, ...(kind === undefined ? {} : { kind }) }];
}

function commentFolds(snapshot: Snapshot): FoldingRange[] {
  const folds: FoldingRange[] = [];
  let first: number | undefined;
  let last = 0;
  const close = () => {
    if (first !== undefined) folds.push(...fold(snapshot, first, last, FoldingRangeKind.Comment));
    first = undefined;
  };
  for (const { parsed, tokens, start, end } of snapshot.tree.lines.map(withTokens)) {
    const isComment =
      parsed.statements.length === 0 && tokens.length > 0 && tokens.every((t) => t.kind === 'comment');
    if (!isComment) close();
    else {
      first ??= start;
      last = end;
    }
  }
  close();
  return folds;
}

/** Tokens are lexed anew on each look: once is enough, and not at all where the line has a statement. */
function withTokens(line: Snapshot['tree']['lines'][number]) {
  const { parsed, start, end } = line;
  return {
    parsed,
    start,
    end,
    tokens: parsed.statements.length === 0 && parsed.length > 0 ? line.tokens : [],
  };
}
