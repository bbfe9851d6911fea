import * as vscode from 'vscode';

/** What a view shows: a session of ours, and the frame that is selected in the call stack, if one is. */
export interface SelectedFrame {
  readonly session: vscode.DebugSession;
  readonly frameId: number | undefined;
}

/** The selection of the call stack view; undefined without a session, `other` when it is not one of ours. */
export function selectedFrame(): SelectedFrame | 'other' | undefined {
  const item = vscode.debug.activeStackItem;
  const session = item?.session ?? vscode.debug.activeDebugSession;
  if (!session) return undefined;
  if (session.type !== 'bpf') return 'other';
  return { session, frameId: item instanceof vscode.DebugStackFrame ? item.frameId : undefined };
}
