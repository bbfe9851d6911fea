import * as vscode from 'vscode';
import type { SessionWatch } from './session-watch.ts';

/**
 * Opens Run and Debug and the BPF views at a session's first stop, without taking the focus from the text.
 * VS Code opens Run and Debug by itself only for the stop reason `breakpoint`.
 */
export function openViewsAtFirstStop(watch: SessionWatch, registersView: () => string): vscode.Disposable {
  let sessions = 0;
  return watch.onDidChange(async ({ what, first, session }) => {
    if (what !== 'stopped' || !first) return;
    sessions++;
    const scope = session.workspaceFolder?.uri;
    const openDebug = vscode.workspace.getConfiguration('debug', scope).get<string>('openDebug');
    if (openDebug === 'neverOpen') return;
    if (openDebug !== 'openOnFirstSessionStart' || sessions === 1)
      await reveal('workbench.debug.variablesView');
    if (vscode.workspace.getConfiguration('bpf', scope).get('views.openAtFirstStop', true))
      await reveal(registersView());
  });
}

/** VS Code has a command `<view>.focus` for each view. */
async function reveal(view: string): Promise<void> {
  try {
    await vscode.commands.executeCommand(`${view}.focus`, { preserveFocus: true });
  } catch {
    // The person has hidden the view: then it stays hidden.
  }
}
