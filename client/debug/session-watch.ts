import * as vscode from 'vscode';

/** State of a session's program; `starting` until its first stop or run. */
export type RunState = 'starting' | 'stopped' | 'running';

/** What passed between VS Code and an adapter of ours that the views care about. */
export interface SessionEvent {
  readonly session: vscode.DebugSession;
  /**
   * `values`: the adapter says that something shown has changed (`invalidated`, `memory`). `breakpoints`: those by
   * address are other ones, which VS Code tells no extension of.
   */
  readonly what: 'stopped' | 'running' | 'values' | 'breakpoints' | 'ended';
  /** The session's first stop. */
  readonly first: boolean;
}

/** Knows which BPF debug sessions there are and whether each is stopped. */
export interface SessionWatch extends vscode.Disposable {
  readonly onDidChange: vscode.Event<SessionEvent>;
  /** Undefined for a session that is not ours or has ended. */
  stateOf(session: vscode.DebugSession): RunState | undefined;
  /** Names what is being run: the session and which of its restarts, for stops are numbered from 1 after each. */
  runOf(session: vscode.DebugSession): string;
}

/** Requests after whose success the program runs. A restart is known from its request on, see below. */
const RESUMING = new Set(['continue', 'next', 'stepIn', 'stepOut']);

/** The parts of a DAP message that matter here. */
interface Message {
  readonly type?: string;
  readonly event?: string;
  readonly command?: string;
  readonly success?: boolean;
}

/** Watches the messages of every `bpf` session. */
export function watchSessions(): SessionWatch {
  const states = new Map<string, RunState>();
  const restarts = new Map<string, number>();
  const stoppedOnce = new Set<string>();
  const emitter = new vscode.EventEmitter<SessionEvent>();

  function change(session: vscode.DebugSession, state: 'running' | 'stopped'): void {
    const first = state === 'stopped' && !stoppedOnce.has(session.id);
    if (first) stoppedOnce.add(session.id);
    states.set(session.id, state);
    emitter.fire({ session, what: state, first });
  }

  function end(session: vscode.DebugSession): void {
    stoppedOnce.delete(session.id);
    restarts.delete(session.id);
    if (states.delete(session.id)) emitter.fire({ session, what: 'ended', first: false });
  }

  function toAdapter(session: vscode.DebugSession, { type, command }: Message): void {
    // The first stop of the new run may come before the answer.
    if (type !== 'request' || command !== 'restart') return;
    restarts.set(session.id, (restarts.get(session.id) ?? 0) + 1);
    change(session, 'running');
  }

  function fromAdapter(session: vscode.DebugSession, { type, event, command, success }: Message): void {
    if (type === 'response' && success === true && RESUMING.has(command ?? '')) change(session, 'running');
    if (type === 'response' && success === true && command === 'setInstructionBreakpoints')
      emitter.fire({ session, what: 'breakpoints', first: false });
    if (type !== 'event') return;
    if (event === 'stopped') change(session, 'stopped');
    else if (event === 'continued') change(session, 'running');
    else if (event === 'terminated') end(session);
    else if (event === 'invalidated' || event === 'memory')
      emitter.fire({ session, what: 'values', first: false });
  }

  const factory: vscode.DebugAdapterTrackerFactory = {
    createDebugAdapterTracker: (session) => ({
      onWillStartSession: () => void states.set(session.id, 'starting'),
      onWillReceiveMessage: (message: Message) => toAdapter(session, message),
      onDidSendMessage: (message: Message) => fromAdapter(session, message),
      onWillStopSession: () => end(session),
      onExit: () => end(session),
    }),
  };
  const registrations = [
    vscode.debug.registerDebugAdapterTrackerFactory('bpf', factory),
    vscode.debug.onDidTerminateDebugSession(end),
    emitter,
  ];
  return {
    onDidChange: emitter.event,
    stateOf: (session) => states.get(session.id),
    runOf: (session) => `${session.id}/${restarts.get(session.id) ?? 0}`,
    dispose() {
      for (const each of registrations) each.dispose();
    },
  };
}
