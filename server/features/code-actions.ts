import { type CodeAction, CodeActionKind, type CodeActionParams } from 'vscode-languageserver';
import type { Diagnosed } from '../documents.ts';
import { offsetAt, rangeOf } from '../line-index.ts';
import { toLspDiagnostic } from './diagnostics.ts';

/** `textDocument/codeAction`: the fixes of the diagnostics that the range touches. */
export function codeActions(snapshot: Diagnosed, { range, context }: CodeActionParams): CodeAction[] {
  if (
    context.only !== undefined &&
    !context.only.some((kind) => isKindWithin(CodeActionKind.QuickFix, kind))
  ) {
    return [];
  }
  const start = offsetAt(snapshot.index, range.start);
  const end = offsetAt(snapshot.index, range.end);
  const actions: CodeAction[] = [];
  for (const diagnostic of snapshot.diagnostics()) {
    if (diagnostic.fix === undefined || diagnostic.range.start > end || diagnostic.range.end < start)
      continue;
    const { title, newText, range: fixRange = diagnostic.range } = diagnostic.fix;
    actions.push({
      title,
      kind: CodeActionKind.QuickFix,
      diagnostics: [toLspDiagnostic(snapshot, diagnostic)],
      isPreferred: true,
      edit: { changes: { [snapshot.uri]: [{ range: rangeOf(snapshot.index, fixRange), newText }] } },
    });
  }
  return actions;
}

/** Kinds are hierarchical: `quickfix` lies within `quickfix` and within the empty kind. */
function isKindWithin(kind: string, wanted: string): boolean {
  return wanted === '' || kind === wanted || kind.startsWith(`${wanted}.`);
}
