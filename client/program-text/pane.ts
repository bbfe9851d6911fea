import * as vscode from 'vscode';
import { FrameFollower, type Situation } from '../debug/frame-follower.ts';
import type { SessionWatch } from '../debug/session-watch.ts';
import { messageOf } from '../error-message.ts';
import { currentInstruction, slotNumber } from './decorations.ts';
import { askWhere, fetchProgram, tellHidden } from './fetch.ts';
import { HEADER_LINES, layOutProgram, type ProgramDocument } from './layout.ts';
import { LineLinks } from './line-links.ts';
import { isPane, lineRange, PROGRAM_SCHEME, paneEditors, showsPath } from './places.ts';

/** Language of the document: instructions with their slots. */
export const PROGRAM_LANGUAGE = 'bpf-program';

/** Decorations cost; further down slot numbers look as the rest. */
const MAX_DIMMED = 20_000;

/**
 * The second pane: a read-only document beside the source with the program as it is executed. It follows the
 * selected frame, marks its instruction, and links its lines with those of the source, both ways, wherever the
 * cursor is. While nobody sees it, it asks for nothing.
 */
export class ProgramPane
  implements vscode.TextDocumentContentProvider, vscode.HoverProvider, vscode.Disposable
{
  readonly #changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.#changed.event;
  readonly #watch: SessionWatch;
  readonly #follower: FrameFollower;
  readonly #currentMark: vscode.TextEditorDecorationType;
  readonly #slotMark = slotNumber();
  readonly #links = new LineLinks();
  #target = paneUri(undefined);
  readonly #disposables: vscode.Disposable[];
  readonly #dimmed = new WeakMap<vscode.TextEditor, ProgramDocument>();
  #document: ProgramDocument | undefined;
  /** Names what `#document` shows, between two restarts of a session. */
  #shownId = '';
  #text = '';
  /** Line of the document that the selected frame is at. */
  #current: number | undefined;
  /** The current line has changed and is not in sight yet. */
  #revealWaits = false;

  /** @param onVisible told when the pane comes into sight and when it goes. */
  constructor(media: vscode.Uri, watch: SessionWatch, onVisible: (visible: boolean) => void) {
    this.#watch = watch;
    this.#currentMark = currentInstruction(media);
    this.#follower = new FrameFollower({
      watch,
      isWanted: () => paneEditors().length > 0,
      look: (situation, isNewest) => this.#look(situation, isNewest),
    });
    let visible = false;
    this.#disposables = [
      vscode.workspace.registerTextDocumentContentProvider(PROGRAM_SCHEME, this),
      vscode.languages.registerHoverProvider({ scheme: PROGRAM_SCHEME }, this),
      vscode.window.onDidChangeVisibleTextEditors(() => {
        const isVisible = paneEditors().length > 0;
        if (isVisible !== visible) onVisible(isVisible);
        if (isVisible && !visible) this.#follower.lookIn(0);
        if (!isVisible && visible) this.#hidden();
        visible = isVisible;
        this.#decorate();
      }),
      vscode.workspace.onDidChangeTextDocument(({ document }) => {
        if (isPane(document)) this.#decorate();
      }),
      this.#changed,
      this.#currentMark,
      this.#slotMark,
      this.#links,
      this.#follower,
    ];
  }

  /** Opens the pane beside the active editor, or shows where it is; the focus stays. */
  async show(): Promise<void> {
    const situation = this.#follower.situation();
    if (situation.kind === 'no-session' || situation.kind === 'other-session') {
      void vscode.window.showInformationMessage('Debug a BPF program (F5) to see it rewritten.');
      return;
    }
    // Filled before it is seen.
    await this.#look(situation, () => true);
    await this.#open();
    this.#revealWaits = true;
    this.#decorate();
    this.#follower.lookIn(0);
  }

  provideTextDocumentContent(): string {
    return this.#text;
  }

  provideHover(_document: vscode.TextDocument, { line }: vscode.Position): vscode.Hover | undefined {
    const words = this.#document?.describe(line);
    if (words === undefined) return undefined;
    const source = this.#document?.sourceOf(line);
    const text = new vscode.MarkdownString();
    text.appendText(`${words}.`);
    if (source !== undefined) {
      const open = vscode.workspace.textDocuments.find(({ uri }) => showsPath(uri, source.path));
      const name = source.path.split(/[\\/]/).at(-1) ?? source.path;
      text.appendText(`\n\n${name}, line ${source.line + 1}:`);
      if (open !== undefined && source.line < open.lineCount)
        text.appendCodeblock(open.lineAt(source.line).text.trim(), open.languageId);
    }
    return new vscode.Hover(text);
  }

  dispose(): void {
    for (const each of this.#disposables) each.dispose();
  }

  async #open(): Promise<void> {
    const opened = await vscode.workspace.openTextDocument(this.#target);
    const document = await vscode.languages.setTextDocumentLanguage(opened, PROGRAM_LANGUAGE);
    await vscode.window.showTextDocument(document, {
      viewColumn: tabsOfPane().at(0)?.group.viewColumn ?? vscode.ViewColumn.Beside,
      preserveFocus: true,
      preview: false,
    });
    const current = this.#target.toString();
    const old = tabsOfPane().filter(({ input }) => input.uri.toString() !== current);
    if (old.length > 0) await vscode.window.tabGroups.close(old, true);
  }

  /** The tab's title is the document's name: another program has another document, in the same place. */
  async #title(program: string): Promise<void> {
    const target = paneUri(program);
    if (target.toString() === this.#target.toString()) return;
    this.#target = target;
    if (paneEditors().length > 0) await this.#open();
  }

  #hidden(): void {
    const situation = this.#follower.situation();
    if ('session' in situation) void tellHidden(situation.session);
  }

  async #look(situation: Situation, isNewest: () => boolean): Promise<void> {
    if (situation.kind !== 'stopped') {
      this.#current = undefined;
      this.#decorate();
      return;
    }
    const { session, frameId } = situation;
    try {
      const where = await askWhere(session, frameId);
      if (!isNewest()) return;
      const id = `${this.#watch.runOf(session)}/${where.textId}`;
      const program = id === this.#shownId ? undefined : await fetchProgram(session, frameId);
      if (!isNewest()) return;
      if (program !== undefined) {
        this.#document = layOutProgram(program);
        this.#shownId = id;
        this.#replace(this.#document.text);
        await this.#title(program.program.name);
        if (!isNewest()) return;
      }
      this.#current = where.currentLine === undefined ? undefined : where.currentLine + HEADER_LINES;
      this.#revealWaits = true;
      this.#decorate();
    } catch (error) {
      // A step may overtake the request: then the next stop brings the next look.
      if (!isNewest() || this.#watch.stateOf(session) !== 'stopped') return;
      this.#document = undefined;
      this.#shownId = '';
      this.#current = undefined;
      this.#replace(`; ${messageOf(error)}`);
    }
  }

  #replace(text: string): void {
    if (text === this.#text) return;
    this.#text = text;
    this.#changed.fire(this.#target);
  }

  /** Marks the current instruction, once the document is the one that it is counted in. */
  #decorate(): void {
    const line = this.#current;
    for (const editor of paneEditors()) {
      if (editor.document.getText() !== this.#text) return;
      const ranges = line === undefined ? [] : [lineRange(line)];
      editor.setDecorations(this.#currentMark, ranges);
      this.#dimSlots(editor);
      if (line !== undefined && this.#revealWaits)
        editor.revealRange(lineRange(line), vscode.TextEditorRevealType.InCenterIfOutsideViewport);
      this.#revealWaits = false;
    }
    this.#links.show(this.#document);
  }

  /** Once for each text in each editor: there may be many. */
  #dimSlots(editor: vscode.TextEditor): void {
    if (this.#document === undefined || this.#dimmed.get(editor) === this.#document) return;
    const { lines, end } = this.#document.slots;
    this.#dimmed.set(editor, this.#document);
    editor.setDecorations(
      this.#slotMark,
      lines.slice(0, MAX_DIMMED).map((line) => new vscode.Range(line, 0, line, end)),
    );
  }
}

/** The pane's tabs, in sight or not. */
function tabsOfPane(): readonly (vscode.Tab & { readonly input: vscode.TabInputText })[] {
  return vscode.window.tabGroups.all.flatMap(({ tabs }) =>
    tabs.filter(
      (tab): tab is vscode.Tab & { readonly input: vscode.TabInputText } =>
        tab.input instanceof vscode.TabInputText && tab.input.uri.scheme === PROGRAM_SCHEME,
    ),
  );
}

/** The document for a program; its last part is the tab's title. */
function paneUri(program: string | undefined): vscode.Uri {
  const name = program === undefined ? 'Rewritten Program' : `${program.replace(/[\\/]/g, '_')} (rewritten)`;
  return vscode.Uri.from({ scheme: PROGRAM_SCHEME, path: `/${name}` });
}
