import * as vscode from 'vscode';
import type { CustomRequests, FrameRequest, QuietRequest } from '#core/protocol/messages.ts';
import type { FromPage, ToPage, ViewName, ViewReplies } from '#core/protocol/views.ts';
import { FrameFollower, type Situation } from '../debug/frame-follower.ts';
import type { SessionWatch } from '../debug/session-watch.ts';
import { messageOf } from '../error-message.ts';
import { pageHtml } from './html.ts';
import { selectedFrame } from './selected-frame.ts';

/**
 * One of the views: while it is visible it asks the adapter for what it shows whenever the program stops,
 * another frame is selected or a value changes; while it is hidden it does nothing. The page only renders.
 */
export class BpfView implements vscode.WebviewViewProvider, vscode.Disposable {
  readonly #name: ViewName;
  readonly #title: string;
  readonly #extension: vscode.Uri;
  readonly #watch: SessionWatch;
  readonly #follower: FrameFollower;
  #view: vscode.WebviewView | undefined;
  #pageReady = false;
  #showsAx = false;

  constructor(name: ViewName, title: string, extension: vscode.Uri, watch: SessionWatch) {
    this.#name = name;
    this.#title = title;
    this.#extension = extension;
    this.#watch = watch;
    this.#follower = new FrameFollower({
      watch,
      isWanted: () => this.#view?.visible === true && this.#pageReady,
      look: (situation, isNewest) => this.#refresh(situation, isNewest),
    });
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
        if (view.visible) this.#follower.lookIn(0);
      }),
      view.onDidDispose(() => {
        for (const each of listeners) each.dispose();
        if (this.#view === view) this.#view = undefined;
      }),
    ];
    view.webview.html = pageHtml(view.webview, dist, this.#name, this.#title);
  }

  /** Whether the page shows the register that only rewritten programs use; kept for a page that comes later. */
  showAx(on: boolean): void {
    this.#showsAx = on;
    this.#post({ kind: 'show-ax', on });
  }

  dispose(): void {
    this.#follower.dispose();
  }

  #post(message: ToPage): void {
    if (this.#pageReady) void this.#view?.webview.postMessage(message);
  }

  #receive(message: FromPage): void {
    switch (message.kind) {
      case 'ready':
        this.#pageReady = true;
        this.#post({ kind: 'show-ax', on: this.#showsAx });
        this.#follower.lookIn(0);
        return;
      case 'edit':
        void this.#edit(message);
        return;
    }
  }

  async #refresh(situation: Situation, isNewest: () => boolean): Promise<void> {
    if (
      situation.kind === 'no-session' ||
      situation.kind === 'other-session' ||
      situation.kind === 'starting'
    )
      return this.#post({ kind: 'empty', reason: situation.kind });
    const { session } = situation;
    if (situation.kind === 'running')
      return this.#post({ kind: 'running', session: this.#watch.runOf(session) });
    const { frameId } = situation;
    try {
      const reply = await request(session, this.#name, frameId === undefined ? {} : { frameId });
      if (isNewest()) this.#post({ kind: 'reply', session: this.#watch.runOf(session), reply });
    } catch (error) {
      // A step may overtake the request: then the next stop brings the next look.
      if (isNewest() && this.#watch.stateOf(session) === 'stopped')
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
    this.#follower.lookIn(0);
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
