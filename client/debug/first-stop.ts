import * as vscode from 'vscode';
import type { Views } from '../views/register-views.ts';
import type { SessionWatch } from './session-watch.ts';

/** Views have a command `<id>.focus`, but this one has a name of its own. */
const FOCUS_VARIABLES = 'workbench.debug.action.focusVariablesView';

/**
 * Opens Run and Debug and the BPF views at a session's first stop, without taking the focus from the text.
 * VS Code opens Run and Debug by itself only for the stop reason `breakpoint`.
 */
export function openViewsAtFirstStop(
  watch: SessionWatch,
  views: Pick<Views, 'idOf' | 'besideText'>,
): vscode.Disposable {
  let sessions = 0;
  return watch.onDidChange(async ({ what, first, session }) => {
    if (what !== 'stopped' || !first) return;
    sessions++;
    const scope = session.workspaceFolder?.uri;
    const openDebug = vscode.workspace.getConfiguration('debug', scope).get<string>('openDebug');
    if (openDebug === 'neverOpen') return;
    if (openDebug !== 'openOnFirstSessionStart' || sessions === 1) await reveal(FOCUS_VARIABLES);
    const wanted = vscode.workspace.getConfiguration('bpf', scope).get('views.openAtFirstStop', true);
    if (wanted && views.besideText) await reveal(`${views.idOf('registers')}.focus`);
  });
}

/** Runs a command that focuses a view, told to leave the focus where it is. */
async function reveal(command: string): Promise<void> {
  try {
    await vscode.commands.executeCommand(command, { preserveFocus: true });
  } catch {
    // A host without this view: there is nothing to open.
  }
}
