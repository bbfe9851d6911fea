import * as vscode from 'vscode';
import { TEMPLATES } from './templates.ts';

/** Opens an untitled document with a small program of the chosen type. */
export async function newProgram(): Promise<void> {
  const picked = await vscode.window.showQuickPick(TEMPLATES, {
    title: 'New BPF Program',
    placeHolder: 'Type of the program',
    matchOnDescription: true,
  });
  if (!picked) return;
  const document = await vscode.workspace.openTextDocument({
    language: picked.language ?? 'bpf',
    content: picked.text,
  });
  await vscode.window.showTextDocument(document);
}
