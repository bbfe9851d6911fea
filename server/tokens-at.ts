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
  const statement = line.statements.find(({ start, end }) => start <= offset && offset <= end);
  return { offset, line, token, statement };
}
