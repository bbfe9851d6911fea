import * as vscode from 'vscode';
import type { JitFile } from '#core/protocol/jit.ts';
import type { JitSource } from '#core/protocol/jit-page.ts';
import { messageOf } from '../error-message.ts';
import { showsPath } from '../program-text/places.ts';

/** Longest text that is sent to the page. */
const MAX_CHARACTERS = 8 << 20;

/** What VS Code calls a source that a listing names. */
export function uriOfFile(
  session: vscode.DebugSession,
  { path, name, sourceReference }: JitFile,
): vscode.Uri {
  if (sourceReference === undefined) return vscode.Uri.file(path);
  return vscode.debug.asDebugSourceUri(
    { ...(name === undefined ? { path } : { name }), sourceReference },
    session,
  );
}

/** Texts of the sources, as the editor has them: with changes that are not saved. */
export function sourceTexts(
  session: vscode.DebugSession,
  files: readonly JitFile[],
): Promise<readonly JitSource[]> {
  return Promise.all(files.map((file) => sourceText(session, file)));
}

async function sourceText(session: vscode.DebugSession, file: JitFile): Promise<JitSource> {
  const name = file.name ?? file.path.split(/[\\/]/).at(-1) ?? file.path;
  try {
    const text = (await vscode.workspace.openTextDocument(uriOfFile(session, file))).getText();
    if (text.length > MAX_CHARACTERS) return { name, message: 'too long to be shown' };
    const isChanged = file.digest !== undefined && file.digest !== (await digestOf(text));
    return { name, text, ...(isChanged ? { isChanged } : {}) };
  } catch (error) {
    return { name, message: messageOf(error) };
  }
}

/** `JitFile.digest` of a text. */
async function digestOf(text: string): Promise<string> {
  const bytes = new TextEncoder().encode(text.replace(/[^ -~\t\n]/g, ''));
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Shows a line of a source in an editor: where it is open already, else in the first column. */
export async function revealLine(session: vscode.DebugSession, file: JitFile, line: number): Promise<void> {
  const uri = uriOfFile(session, file);
  const open = vscode.window.visibleTextEditors.find(({ document }) =>
    file.sourceReference === undefined
      ? showsPath(document.uri, file.path)
      : document.uri.toString() === uri.toString(),
  );
  const at = new vscode.Range(line - 1, 0, line - 1, 0);
  await vscode.window.showTextDocument(open?.document.uri ?? uri, {
    viewColumn: open?.viewColumn ?? vscode.ViewColumn.One,
    selection: at,
  });
}
