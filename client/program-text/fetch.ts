import type * as vscode from 'vscode';
import type {
  CustomRequests,
  ProgramTextLine,
  ProgramTextReply,
  ProgramTextRequest,
} from '#core/protocol/messages.ts';
import type { WholeProgram } from './layout.ts';

/** More than a person scrolls through, less than an editor stops highlighting at. */
const MAX_LINES = 100_000;
const COMMAND: keyof CustomRequests = 'bpf/programText';

/** A stop as the adapter tells of it: the program of the selected frame, without its lines. */
export function askWhere(
  session: vscode.DebugSession,
  frameId: number | undefined,
): Promise<ProgramTextReply> {
  return ask(session, frameId, { count: 0 });
}

/** All lines of the selected frame's program, 100,000 at most. The session may go on meanwhile: then it rejects. */
export async function fetchProgram(
  session: vscode.DebugSession,
  frameId: number | undefined,
): Promise<WholeProgram> {
  const first = await ask(session, frameId, { start: 0 });
  const lines: ProgramTextLine[] = [...first.lines];
  const wanted = Math.min(first.total, MAX_LINES);
  while (lines.length < wanted) {
    const next = await ask(session, frameId, { start: lines.length });
    if (next.textId !== first.textId || next.lines.length === 0) break;
    lines.push(...next.lines);
  }
  const { textId, form, program, files, total } = first;
  return { textId, form, program, files, total, lines };
}

/** Tells that the text is out of sight: the adapter no longer takes AX in expressions. A session that ends does not care. */
export async function tellHidden(session: vscode.DebugSession): Promise<void> {
  await ask(session, undefined, { count: 0, shown: false }).catch(() => undefined);
}

async function ask(
  session: vscode.DebugSession,
  frameId: number | undefined,
  page: Omit<ProgramTextRequest, 'frameId'>,
): Promise<ProgramTextReply> {
  return session.customRequest(COMMAND, { ...page, ...(frameId === undefined ? {} : { frameId }) });
}
