import {
  type InlineValue,
  InlineValueEvaluatableExpression,
  type InlineValueParams,
} from 'vscode-languageserver';
import { type AsmLine, lineIndexAt } from '#core/asm/parse.ts';
import { insnWrites } from '#core/isa/decode.ts';
import type { Snapshot } from '../documents.ts';
import { rangeOf } from '../line-index.ts';
import { straightLineBefore } from './straight-line.ts';

/** Lines above the stopped one that still show values. */
const MAX_LINES = 200;

/**
 * `textDocument/inlineValue`: the registers of the line where the program stopped, and above it those that still
 * hold what they held there: of lines that have been executed on the way, registers that no later line has written.
 * The debugger evaluates the names.
 */
export function inlineValues(snapshot: Snapshot, { range, context }: InlineValueParams): InlineValue[] {
  const stoppedLine = context.stoppedLocation.end.line;
  const { index, tree } = snapshot;
  const stopped = {
    start: index.starts[stoppedLine] ?? index.text.length,
    end: index.starts[stoppedLine + 1] ?? index.text.length + 1,
  };
  const from = index.starts[Math.max(range.start.line, stoppedLine - MAX_LINES, 0)] ?? index.text.length;
  const values: InlineValue[] = [];
  const show = (line: AsmLine | undefined, overwritten: ReadonlySet<number>): void => {
    const seen = new Set<string>();
    for (const token of line?.tokens ?? []) {
      if (token.register === undefined || overwritten.has(token.register)) continue;
      const name = `${/^%?w/i.test(token.text) ? 'w' : 'r'}${token.register}`;
      if (seen.has(name)) continue;
      seen.add(name);
      values.push(InlineValueEvaluatableExpression.create(rangeOf(index, token), name));
    }
  };
  if (range.end.line >= stoppedLine && range.start.line <= stoppedLine) {
    const at = lineIndexAt(tree, stopped.start);
    if (tree.lines[at]?.start === stopped.start) show(tree.lines[at], new Set());
  }
  const overwritten = new Set<number>();
  let shown = -1;
  let writesOfLine: number[] = [];
  for (const { place, decoded } of straightLineBefore(snapshot.assembled(), stopped, from)) {
    const line = lineIndexAt(tree, place.range.start);
    if (line !== shown) {
      for (const register of writesOfLine) overwritten.add(register);
      writesOfLine = [];
      shown = line;
      show(tree.lines[line], overwritten);
    }
    writesOfLine.push(...insnWrites(decoded));
  }
  return values;
}
