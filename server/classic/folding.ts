import { type FoldingRange, FoldingRangeKind } from 'vscode-languageserver';
import { lineAt } from '../line-index.ts';
import type { ClassicSnapshot } from './documents.ts';

/** `textDocument/foldingRange` of classic BPF: what follows a label up to the next, comments of several lines. */
export function classicFolding(snapshot: ClassicSnapshot): FoldingRange[] {
  const { index } = snapshot;
  const { value } = snapshot.source();
  const starts = value.labels.map(({ range }) => range.start).sort((a, b) => a - b);
  const folds = starts.flatMap((start, n) => fold(snapshot, start, starts[n + 1] ?? index.text.length));
  let first: number | undefined;
  let last = 0;
  const close = (): void => {
    if (first !== undefined) folds.push(...fold(snapshot, first, last, FoldingRangeKind.Comment));
    first = undefined;
  };
  for (const { kind, start, end, first: startsLine } of value.tokens) {
    if (kind === 'comment' && startsLine) {
      first ??= start;
      last = end;
    } else if (kind !== 'space') close();
  }
  close();
  return folds;
}

function fold(
  { index }: ClassicSnapshot,
  start: number,
  end: number,
  kind?: FoldingRangeKind,
): FoldingRange[] {
  const startLine = lineAt(index, start);
  const endLine = lineAt(index, start + index.text.slice(start, end).trimEnd().length);
  return endLine <= startLine ? [] : [{ startLine, endLine, ...(kind === undefined ? {} : { kind }) }];
}
