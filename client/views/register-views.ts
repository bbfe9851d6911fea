import * as vscode from 'vscode';
import type { ViewName } from '#core/protocol/views.ts';
import type { SessionWatch } from '../debug/session-watch.ts';
import { BpfView } from './bpf-view.ts';
import { hasSecondarySideBar } from './secondary-side-bar.ts';

const TITLES: Readonly<Record<ViewName, string>> = {
  registers: 'Registers',
  stack: 'Stack',
  stats: 'Stats',
};

/** The registered views, and what the rest of the client does with them. */
export interface Views {
  /** Contributed id of a view in the container that this host uses. */
  idOf(view: ViewName): string;
  /** The container stands beside the text; a plain one would take the place of Variables. */
  readonly besideText: boolean;
  /** Shows or hides the register that only rewritten programs use. */
  showAx(on: boolean): void;
}

/**
 * Registers the three views in the secondary side bar's container, or, where the host has no such place, in the
 * plain one; the context key `bpf.plainContainer` makes the manifest show the same one.
 */
export function registerViews(context: vscode.ExtensionContext, watch: SessionWatch): Views {
  const plain = !hasSecondarySideBar(vscode.version);
  void vscode.commands.executeCommand('setContext', 'bpf.plainContainer', plain);
  void vscode.commands.executeCommand('setContext', 'bpf.active', true);
  const idOf = (view: ViewName) => (plain ? `bpf.plain.${view}` : `bpf.${view}`);
  const register = (name: ViewName) => {
    const view = new BpfView(name, TITLES[name], context.extensionUri, watch);
    context.subscriptions.push(view, vscode.window.registerWebviewViewProvider(idOf(name), view));
    return view;
  };
  const registers = register('registers');
  register('stack');
  register('stats');
  return {
    idOf,
    besideText: !plain,
    showAx: (on) => registers.showAx(on),
  };
}
