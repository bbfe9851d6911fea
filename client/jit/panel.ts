import * as vscode from 'vscode';
import type { JitListing, JitReply } from '#core/protocol/jit.ts';
import type { FromJitPage, JitChoices, JitSource, ToJitPage } from '#core/protocol/jit-page.ts';
import { FrameFollower, type Situation } from '../debug/frame-follower.ts';
import type { SessionWatch } from '../debug/session-watch.ts';
import { messageOf } from '../error-message.ts';
import { pageHtml } from '../views/html.ts';
import { listingText } from './copy.ts';
import { isFromJitPage } from './from-page.ts';
import { lineBreakpoints, setLineBreakpoint } from './line-breakpoints.ts';
import { askJit } from './requests.ts';
import { revealLine, sourceTexts } from './sources.ts';

/** Type of the panel, for menus and for restoring it. */
export const JIT_VIEW = 'bpf.jit';
const TITLE = 'JIT';

/** What the page has been given, to be given again to a page that comes back. */
interface Shown {
  readonly session: vscode.DebugSession;
  /** Session and restart. */
  readonly run: string;
  readonly reply: JitReply;
  readonly listing: JitListing;
  readonly sources: readonly JitSource[];
}

/**
 * The JIT view, an editor beside the source: source, instructions and native code of the selected frame's program.
 * While it is in sight it asks the adapter after each stop; the listing is fetched once, texts of rows when they are
 * scrolled to. While it is hidden it does nothing.
 */
export class JitPanel implements vscode.WebviewPanelSerializer, vscode.Disposable {
  readonly #dist: vscode.Uri;
  readonly #media: vscode.Uri;
  readonly #watch: SessionWatch;
  readonly #follower: FrameFollower;
  readonly #disposables: readonly vscode.Disposable[];
  #panel: vscode.WebviewPanel | undefined;
  #pageReady = false;
  #choices: JitChoices = { form: 'xlated' };
  #shown: Shown | undefined;
  /** The page has what `#shown` is. */
  #pageHasIt = false;

  constructor(extension: vscode.Uri, watch: SessionWatch) {
    this.#dist = vscode.Uri.joinPath(extension, 'dist');
    this.#media = vscode.Uri.joinPath(extension, 'media');
    this.#watch = watch;
    this.#follower = new FrameFollower({
      watch,
      isWanted: () => this.#panel?.visible === true && this.#pageReady,
      look: (situation, isNewest) => this.#look(situation, isNewest),
    });
    this.#disposables = [
      this.#follower,
      vscode.window.registerWebviewPanelSerializer(JIT_VIEW, this),
      vscode.debug.onDidChangeBreakpoints(() => this.#postLineBreakpoints()),
      watch.onDidChange(({ what }) => {
        if (what === 'breakpoints') this.#follower.lookIn(0);
      }),
    ];
  }

  /** Opens the view beside the active editor, or shows where it is; the focus stays. */
  show(): void {
    if (this.#panel !== undefined) {
      this.#panel.reveal(undefined, true);
      return;
    }
    const place = { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true };
    this.#open(vscode.window.createWebviewPanel(JIT_VIEW, TITLE, place));
  }

  /** VS Code brings the panel back after the window was loaded anew; the page has kept its choices. */
  async deserializeWebviewPanel(panel: vscode.WebviewPanel): Promise<void> {
    if (this.#panel === undefined) this.#open(panel);
    else panel.dispose();
  }

  /** Copies what is selected in the page. */
  copySelection(): void {
    this.#post({ kind: 'copy-selection' });
  }

  /** Copies the whole listing. */
  copyListing(): Promise<void> {
    return this.#copy({ kind: 'copy', column: 'all', start: 0 });
  }

  dispose(): void {
    for (const each of this.#disposables) each.dispose();
    this.#panel?.dispose();
  }

  #open(panel: vscode.WebviewPanel): void {
    this.#panel = panel;
    this.#pageReady = false;
    this.#pageHasIt = false;
    const { webview } = panel;
    webview.options = { enableScripts: true, localResourceRoots: [this.#dist] };
    const icon = (theme: string) => vscode.Uri.joinPath(this.#media, `file-${theme}.svg`);
    panel.iconPath = { light: icon('light'), dark: icon('dark') };
    const listeners = [
      webview.onDidReceiveMessage((message: unknown) => {
        if (isFromJitPage(message)) void this.#receive(message);
      }),
      panel.onDidChangeViewState(() => {
        // A page that goes out of sight is gone; it says `ready` when it comes back.
        if (!panel.visible) {
          this.#pageReady = false;
          this.#pageHasIt = false;
        }
      }),
      panel.onDidDispose(() => {
        for (const each of listeners) each.dispose();
        if (this.#panel === panel) this.#panel = undefined;
      }),
    ];
    webview.html = pageHtml(webview, this.#dist, 'jit', TITLE);
  }

  #post(message: ToJitPage): void {
    if (this.#pageReady) void this.#panel?.webview.postMessage(message);
  }

  async #look(situation: Situation, isNewest: () => boolean): Promise<void> {
    if (!('session' in situation) || situation.kind === 'starting') {
      this.#shown = undefined;
      this.#pageHasIt = false;
      return this.#post({ kind: 'empty', reason: situation.kind });
    }
    const { session } = situation;
    const run = this.#watch.runOf(session);
    if (situation.kind === 'running') {
      if (this.#shown?.run === run && !this.#pageHasIt) this.#postShown(this.#shown, true);
      return this.#post({ kind: 'running', session: run });
    }
    const { frameId } = situation;
    const have = this.#pageHasIt && this.#shown?.run === run ? this.#shown.reply.listingId : undefined;
    try {
      const reply = await askJit(session, 'bpf/jit', {
        ...this.#choices,
        ...(frameId === undefined ? {} : { frameId }),
        ...(have === undefined ? {} : { have }),
      });
      const listing = reply.listing ?? this.#shown?.listing;
      const sources = reply.listing
        ? await sourceTexts(session, reply.listing.files)
        : (this.#shown?.sources ?? []);
      if (!isNewest() || listing === undefined) return;
      this.#shown = { session, run, reply, listing, sources };
      this.#postShown(this.#shown, reply.listing !== undefined);
      this.#pageHasIt = this.#pageReady;
    } catch (error) {
      // A step may overtake the request: then the next stop brings the next look.
      if (isNewest() && this.#watch.stateOf(session) === 'stopped')
        this.#post({ kind: 'failed', message: messageOf(error) });
    }
  }

  #postShown({ run, reply, listing, sources }: Shown, whole: boolean): void {
    const { listing: _, ...rest } = reply;
    if (whole) this.#post({ kind: 'reply', session: run, reply: { ...rest, listing }, sources });
    else this.#post({ kind: 'reply', session: run, reply: rest });
    this.#postLineBreakpoints();
  }

  #postLineBreakpoints(): void {
    if (this.#shown === undefined) return;
    const { session, listing } = this.#shown;
    this.#post({ kind: 'line-breakpoints', breakpoints: lineBreakpoints(session, listing.files) });
  }

  async #receive(message: FromJitPage): Promise<void> {
    try {
      switch (message.kind) {
        case 'ready':
        case 'choose':
          if (message.kind === 'ready') this.#pageReady = true;
          this.#choices = message.choices;
          this.#follower.lookIn(0);
          return;
        case 'rows': {
          const { kind: _, ...request } = message;
          if (this.#shown === undefined) return;
          this.#post({ kind: 'rows', reply: await askJit(this.#shown.session, 'bpf/jitRows', request) });
          return;
        }
        case 'line-breakpoint':
          this.#withFile(message.file, (session, file) =>
            setLineBreakpoint(session, file, message.line, message.on),
          );
          return;
        case 'breakpoint':
          await this.#setBreakpoint(message);
          return;
        case 'reveal':
          await this.#withFile(message.file, (session, file) => revealLine(session, file, message.line));
          return;
        case 'copy':
          await this.#copy(message);
          return;
        case 'copy-text':
          await this.#toClipboard(message.text);
          return;
      }
    } catch (error) {
      this.#post({ kind: message.kind === 'rows' ? 'failed' : 'notice', message: messageOf(error) });
      // the listing may be another one by now
      if (message.kind === 'rows') this.#follower.lookIn(0);
    }
  }

  #withFile<T>(
    number: number,
    work: (session: vscode.DebugSession, file: JitListing['files'][number]) => T,
  ): T | undefined {
    const file = this.#shown?.listing.files[number];
    return this.#shown === undefined || file === undefined ? undefined : work(this.#shown.session, file);
  }

  async #setBreakpoint({ address, on }: Extract<FromJitPage, { kind: 'breakpoint' }>): Promise<void> {
    if (this.#shown === undefined) return;
    const { message } = await askJit(this.#shown.session, 'bpf/jitBreakpoint', { address, on });
    if (message !== undefined) this.#post({ kind: 'notice', message });
    this.#follower.lookIn(0);
  }

  async #copy({ column, start, count }: Extract<FromJitPage, { kind: 'copy' }>): Promise<void> {
    if (this.#shown === undefined) return;
    const { session, reply } = this.#shown;
    const text = await listingText(session, { listingId: reply.listingId, column, start }, count);
    if (text !== undefined) await this.#toClipboard(text);
  }

  async #toClipboard(text: string): Promise<void> {
    await vscode.env.clipboard.writeText(text);
    const lines = text.split('\n').length - 1;
    this.#post({ kind: 'notice', message: `Copied ${lines} line${lines === 1 ? '' : 's'}` });
  }
}
