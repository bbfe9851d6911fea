import * as vscode from 'vscode';
import { foldDrive } from './layout.ts';

/** Scheme of the pane's document, which exists in memory only. */
export const PROGRAM_SCHEME = 'bpf-program';

/** Whether the document is the pane's. */
export function isPane(document: vscode.TextDocument): boolean {
  return document.uri.scheme === PROGRAM_SCHEME;
}

/** The editors in sight that show the pane's document. */
export function paneEditors(): readonly vscode.TextEditor[] {
  return vscode.window.visibleTextEditors.filter(({ document }) => isPane(document));
}

/** Whether a document is the source that stack frames call `path`. */
export function showsPath(uri: vscode.Uri, path: string): boolean {
  return foldDrive(uri.fsPath) === foldDrive(path);
}

/** A whole line, for decorations and revealing. */
export function lineRange(line: number): vscode.Range {
  return new vscode.Range(line, 0, line, 0);
}
