import * as vscode from 'vscode';

export type RunState = 'starting' | 'stopped' | 'running';

/** What passed between VS Code and an adapter of ours that the views care about. */
export interface SessionEvent {
  readonly session: vscode.DebugSession;
  /** `values`: the adapter says that something shown has changed (`invalidated`, `memory`). */
  readonly what: 'stopped' | 'running' | 'values' | 'ended';
  /** The session's first stop. */
  readonly first: boolean;
}

/** Knows which BPF debug sessions there are and whether each is stopped. */
export interface SessionWatch extends vscode.Disposable {
  readonly onDidChange: vscode.Event<SessionEvent>;
  /** Undefined for a session that is not ours or has ended. */
  stateOf(session: vscode.DebugSession): RunState | undefined;
}

/** Requests after whose success the program runs. */
const RESUMING = new Set(['continue', 'next', 'stepIn', 'stepOut', 'restart', 'restartFrame', 'goto']);

/** Watches the messages of every `bpf` session. */
export function watchSessions(): SessionWatch {
  const states = new Map<string, RunState>();
  const stopped = new Set<string>();
  const emitter = new vscode.EventEmitter<SessionEvent>();
  const factory: vscode.DebugAdapterTrackerFactory = {
    createDebugAdapterTracker(session) {
      const tell = (what: SessionEvent['what'], first = false) => emitter.fire({ session, what, first });
      const run = () => {
        states.set(session.id, 'running');
        tell('running');
      };
      return {
        onWillStartSession: () => void states.set(session.id, 'starting'),
        onDidSendMessage(message: Readonly<Record<string, unknown>>) {
          if (
            message.type === 'response' &&
            message.success === true &&
            RESUMING.has(String(message.command))
          ) {
            run();
          } else if (message.type === 'event') {
            switch (message.event) {
              case 'stopped': {
                const first = !stopped.has(session.id);
                stopped.add(session.id);
                states.set(session.id, 'stopped');
                return tell('stopped', first);
              }
              case 'continued':
                return run();
              case 'invalidated':
              case 'memory':
                return tell('values');
            }
          }
        },
        onExit: () => end(session),
        onWillStopSession: () => end(session),
      };
    },
  };
  const end = (session: vscode.DebugSession) => {
    stopped.delete(session.id);
    if (states.delete(session.id)) emitter.fire({ session, what: 'ended', first: false });
  };
  const registrations = [
    vscode.debug.registerDebugAdapterTrackerFactory('bpf', factory),
    vscode.debug.onDidTerminateDebugSession((session) => end(session)),
    emitter,
  ];
  return {
    onDidChange: emitter.event,
    stateOf: (session) => states.get(session.id),
    dispose: () => registrations.forEach((each) => void each.dispose()),
  };
}
