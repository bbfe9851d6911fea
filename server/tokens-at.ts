import { type AsmLine, type AsmStatement, lineIndexAt } from '#core/asm/parse.ts';
import type { AsmToken } from '#core/asm/tokens.ts';
import type { Snapshot } from './documents.ts';

/** What stands at a place in the text. */
export interface Place {
  readonly offset: number;
  readonly line: AsmLine;
  /** The token that holds the offset, or that ends just there. */
  readonly token: AsmToken | undefined;
  /** The statement around it. */
  readonly statement: AsmStatement | undefined;
}

/** Looks up the line, statement and token at a UTF-16 offset. */
export function placeAt(snapshot: Snapshot, offset: number): Place | undefined {
  const line = snapshot.tree.lines[lineIndexAt(snapshot.tree, offset)];
  if (line === undefined) return undefined;
  const { tokens } = line;
  const token =
    tokens.find(({ start, end }) => start <= offset && offset < end) ??
    tokens.findLast(({ end }) => end === offset);
  return { offset, line, token, statement: statementAt(line, tokens, offset) };
}

/**
 * The statement of `line` that holds an offset. `AsmLine.statements` would sort the tokens of all of them out,
 * which takes its time where a line holds thousands.
 */
export function statementAt(
  line: AsmLine,
  tokens: readonly AsmToken[],
  offset: number,
): AsmStatement | undefined {
  const node = line.parsed.statements.find((one) => {
    return line.start + one.start <= offset && offset <= line.start + one.end;
  });
  if (node === undefined) return undefined;
  const start = line.start + node.start;
  const end = line.start + node.end;
  return { start, end, node, tokens: tokens.filter((token) => token.start >= start && token.end <= end) };
}
