import * as vscode from 'vscode';
import type { CustomRequests } from '#core/protocol/messages.ts';
import { messageOf } from '../error-message.ts';

type Switch = CustomRequests['bpf/engine'];

/** Asks which engine is to go on with the stopped program, and has it done. Escape leaves everything as it is. */
export async function switchEngine(): Promise<void> {
  const session = vscode.debug.activeDebugSession;
  if (session?.type !== 'bpf') {
    void vscode.window.showInformationMessage('Debug a BPF program first: engines are switched at a stop.');
    return;
  }
  const ask = (args: Switch['args']): Thenable<Switch['reply']> => session.customRequest('bpf/engine', args);
  try {
    const { engine, engines } = await ask({});
    const items = engines.map(({ name, description }) => ({
      label: name,
      description: name === engine ? `executes now · ${description}` : description,
      iconPath: new vscode.ThemeIcon(name === engine ? 'check' : 'blank'),
    }));
    const chosen = await vscode.window.showQuickPick(items, {
      title: 'Switch Engine',
      placeHolder: 'It goes on from this stop: registers, stack, frames and maps stay as they are',
      matchOnDescription: true,
    });
    if (chosen !== undefined && chosen.label !== engine) await ask({ engine: chosen.label });
  } catch (error) {
    void vscode.window.showErrorMessage(`Not switched: ${messageOf(error)}`);
  }
}
