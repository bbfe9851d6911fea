import * as vscode from 'vscode';
import type { CustomRequests, FrameRequest, QuietRequest } from '#core/protocol/messages.ts';
import type { FromPage, ToPage, ViewName, ViewReplies } from '#core/protocol/views.ts';
import type { SessionWatch } from '../debug/session-watch.ts';
import { messageOf } from '../error-message.ts';
import { pageHtml } from './html.ts';
import { selectedFrame } from './selected-frame.ts';

/** A step is over sooner: nothing flickers while stepping. */
const RUNNING_SHOWN_AFTER_MS = 250;
/** After a stop VS Code selects the new frame; this long the view waits for it before it takes the innermost. */
const FRAME_AWAITED_MS = 120;

/**
 * One of the views: while it is visible it asks the adapter for what it shows whenever the program stops,
 * another frame is selected or a value changes; while it is hidden it does nothing. The page only renders.
 */
export class BpfView implements vscode.WebviewViewProvider, vscode.Disposable {
  readonly #name: ViewName;
  readonly #title: string;
  readonly #extension: vscode.Uri;
  readonly #watch: SessionWatch;
  readonly #disposables: vscode.Disposable[] = [];
  #view: vscode.WebviewView | undefined;
  #pageReady = false;
  #axWaits = false;
  #timer: NodeJS.Timeout | undefined;
  /** Counts pulls: only the newest may answer. */
  #pull = 0;
  /** Frame ids live from one stop to the next: false between a stop and VS Code's choice of its frame. */
  #frameIsFresh = true;

  constructor(name: ViewName, title: string, extension: vscode.Uri, watch: SessionWatch) {
    this.#name = name;
    this.#title = title;
    this.#extension = extension;
    this.#watch = watch;
    this.#disposables.push(
      watch.onDidChange((event) => {
        if (event.what === 'stopped') {
          this.#frameIsFresh = false;
          this.#schedule(FRAME_AWAITED_MS);
        } else if (event.what === 'running') this.#schedule(RUNNING_SHOWN_AFTER_MS);
        else this.#schedule(0);
      }),
      vscode.debug.onDidChangeActiveStackItem((item) => {
        if (item instanceof vscode.DebugStackFrame) {
          this.#frameIsFresh = true;
          this.#schedule(0);
        } else if (this.#timer === undefined) this.#schedule(RUNNING_SHOWN_AFTER_MS);
      }),
      vscode.debug.onDidChangeActiveDebugSession(() => this.#schedule(FRAME_AWAITED_MS)),
    );
  }

  resolveWebviewView(view: vscode.WebviewView): void {
    const dist = vscode.Uri.joinPath(this.#extension, 'dist');
    this.#view = view;
    this.#pageReady = false;
    view.webview.options = { enableScripts: true, localResourceRoots: [dist] };
    const listeners = [
      view.webview.onDidReceiveMessage((message: unknown) => {
        if (isFromPage(message)) this.#receive(message);
      }),
      view.onDidChangeVisibility(() => {
        if (view.visible) this.#schedule(0);
      }),
      view.onDidDispose(() => {
        for (const each of listeners) each.dispose();
        if (this.#view === view) this.#view = undefined;
      }),
    ];
    view.webview.html = pageHtml(view.webview, dist, this.#name, this.#title);
  }

  /** Turns the row of the hidden register AX on or off, as soon as there is a page. */
  toggleAx(): void {
    if (this.#pageReady) this.#post({ kind: 'toggle-ax' });
    else this.#axWaits = !this.#axWaits;
  }

  dispose(): void {
    clearTimeout(this.#timer);
    for (const each of this.#disposables) each.dispose();
  }

  #post(message: ToPage): void {
    if (this.#pageReady) void this.#view?.webview.postMessage(message);
  }

  #receive(message: FromPage): void {
    switch (message.kind) {
      case 'ready':
        this.#pageReady = true;
        if (this.#axWaits) this.#post({ kind: 'toggle-ax' });
        this.#axWaits = false;
        this.#schedule(0);
        return;
      case 'edit':
        void this.#edit(message);
        return;
    }
  }

  /** The next look at the debugger; a later call replaces an earlier one. */
  #schedule(delay: number): void {
    if (!this.#view?.visible || !this.#pageReady) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#refresh();
    }, delay);
  }

  async #refresh(): Promise<void> {
    const pull = ++this.#pull;
    const selected = selectedFrame();
    if (selected === undefined) return this.#post({ kind: 'empty', reason: 'no-session' });
    if (selected === 'other') return this.#post({ kind: 'empty', reason: 'other-session' });
    const { session } = selected;
    const state = this.#watch.stateOf(session);
    if (state === undefined) return this.#post({ kind: 'empty', reason: 'no-session' });
    if (state === 'starting') return this.#post({ kind: 'empty', reason: 'starting' });
    if (state === 'running') return this.#post({ kind: 'running', session: this.#watch.runOf(session) });
    const frameId = this.#frameIsFresh ? selected.frameId : undefined;
    try {
      const reply = await request(session, this.#name, frameId === undefined ? {} : { frameId });
      if (pull === this.#pull) this.#post({ kind: 'reply', session: this.#watch.runOf(session), reply });
    } catch (error) {
      // A step may overtake the request: then the next stop brings the next pull.
      if (pull === this.#pull && this.#watch.stateOf(session) === 'stopped')
        this.#post({ kind: 'failed', message: messageOf(error) });
    }
  }

  async #edit({ id, expression, value }: Extract<FromPage, { kind: 'edit' }>): Promise<void> {
    const selected = selectedFrame();
    try {
      if (selected === undefined || selected === 'other')
        throw new Error('The program is not being debugged.');
      const { session, frameId } = selected;
      await session.customRequest('setExpression', {
        expression,
        value,
        quiet: true,
        ...(frameId === undefined ? {} : { frameId }),
      } satisfies QuietRequest & { expression: string; value: string; frameId?: number });
      this.#post({ kind: 'edited', id });
    } catch (error) {
      this.#post({ kind: 'edited', id, error: messageOf(error) });
    }
    this.#schedule(0);
  }
}

/** Whether a message is one that our pages send: nothing else is acted on. */
function isFromPage(message: unknown): message is FromPage {
  if (typeof message !== 'object' || message === null) return false;
  const { kind, id, expression, value } = message as Readonly<Record<string, unknown>>;
  if (kind === 'ready') return true;
  return (
    kind === 'edit' && typeof id === 'number' && typeof expression === 'string' && typeof value === 'string'
  );
}

async function request<V extends ViewName>(
  session: vscode.DebugSession,
  view: V,
  args: FrameRequest,
): Promise<ViewReplies[V]> {
  const command: keyof CustomRequests = `bpf/${view}`;
  return session.customRequest(command, args);
}
