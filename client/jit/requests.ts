import type * as vscode from 'vscode';
import type { CustomRequests } from '#core/protocol/messages.ts';

type Jit = 'bpf/jit' | 'bpf/jitRows' | 'bpf/jitText' | 'bpf/jitBreakpoint';

/** Asks the adapter. Rejects with its text when it refuses, or when the session is over. */
export async function askJit<C extends Jit>(
  session: vscode.DebugSession,
  command: C,
  args: CustomRequests[C]['args'],
): Promise<CustomRequests[C]['reply']> {
  return session.customRequest(command, args);
}
