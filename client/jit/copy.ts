import * as vscode from 'vscode';
import type { JitTextReply, JitTextRequest } from '#core/protocol/jit.ts';
import { askJit } from './requests.ts';

/** Rows of one request. */
const PART_ROWS = 5000;
/** Longest text that is put on the clipboard. */
const MAX_CHARACTERS = 64 << 20;

/** Rows of a listing as text; `count` absent: all of them. Undefined: the person has given up. */
export function listingText(
  session: vscode.DebugSession,
  request: Omit<JitTextRequest, 'count'>,
  count = Number.POSITIVE_INFINITY,
): Thenable<string | undefined> {
  const options = {
    location: vscode.ProgressLocation.Window,
    title: 'Copying the listing',
    cancellable: true,
  };
  return vscode.window.withProgress(options, async (_, token) => {
    const parts: string[] = [];
    let length = 0;
    const end = request.start + count;
    for (let start: number | undefined = request.start; start !== undefined && start < end; ) {
      const rows: number = Math.min(PART_ROWS, end - start);
      const part: JitTextReply = await askJit(session, 'bpf/jitText', { ...request, start, count: rows });
      if (token.isCancellationRequested) return undefined;
      length += part.text.length;
      if (length > MAX_CHARACTERS)
        throw new Error('the listing is too long for the clipboard; copy a part of it');
      parts.push(part.text);
      start = part.next;
    }
    return parts.join('');
  });
}
