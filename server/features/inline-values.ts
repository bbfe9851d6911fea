import {
  type InlineValue,
  InlineValueEvaluatableExpression,
  type InlineValueParams,
} from 'vscode-languageserver';
import { lineIndexAt } from '#core/asm/parse.ts';
import type { Snapshot } from '../documents.ts';
import { rangeOf } from '../line-index.ts';

/** Lines above the stopped one that still show values: older ones would show what no longer holds there. */
const MAX_LINES = 200;

/**
 * `textDocument/inlineValue`: each register once a line, in the visible lines up to the one where the program
 * stopped. The debugger evaluates the names.
 */
export function inlineValues(snapshot: Snapshot, { range, context }: InlineValueParams): InlineValue[] {
  const stopped = context.stoppedLocation.end.line;
  const last = Math.min(range.end.line, stopped);
  const first = Math.max(range.start.line, last - MAX_LINES, 0);
  const { index, tree } = snapshot;
  const from = index.starts[first] ?? index.text.length;
  const to = index.starts[last + 1] ?? index.text.length + 1;
  const values: InlineValue[] = [];
  for (const line of tree.lines.slice(lineIndexAt(tree, from))) {
    if (line.start >= to) break;
    const seen = new Set<string>();
    for (const token of line.tokens) {
      if (token.register === undefined) continue;
      const name = `${/^%?w/i.test(token.text) ? 'w' : 'r'}${token.register}`;
      if (seen.has(name)) continue;
      seen.add(name);
      values.push(InlineValueEvaluatableExpression.create(rangeOf(index, token), name));
    }
  }
  return values;
}
