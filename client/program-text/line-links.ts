import * as vscode from 'vscode';
import { linkedLine } from './decorations.ts';
import type { ProgramDocument } from './layout.ts';
import { isPane, lineRange, showsPath } from './places.ts';

/**
 * Highlights, on the other side, what belongs to the lines that the cursor is in: in the pane for the cursor in
 * a source, in the sources in sight for the cursor in the pane. A move of the cursor also scrolls there, but only
 * when it is out of sight.
 */
export class LineLinks implements vscode.Disposable {
  readonly #mark = linkedLine();
  readonly #disposables: readonly vscode.Disposable[];
  /** Editors that have highlights to take away. */
  readonly #marked = new Set<vscode.TextEditor>();
  #document: ProgramDocument | undefined;

  constructor() {
    this.#disposables = [
      this.#mark,
      vscode.window.onDidChangeActiveTextEditor(() => this.#draw(false)),
      vscode.window.onDidChangeTextEditorSelection(({ textEditor }) => {
        if (textEditor === vscode.window.activeTextEditor) this.#draw(true);
      }),
    ];
  }

  /** Links the lines of another document from now on. */
  show(document: ProgramDocument | undefined): void {
    this.#document = document;
    this.#draw(false);
  }

  dispose(): void {
    for (const each of this.#disposables) each.dispose();
  }

  #draw(reveals: boolean): void {
    const active = vscode.window.activeTextEditor;
    for (const editor of vscode.window.visibleTextEditors) {
      const lines =
        this.#document === undefined || active === undefined || !isOtherSide(editor, active)
          ? []
          : linkedLines(this.#document, active, editor);
      const [first] = lines;
      if (first === undefined && !this.#marked.delete(editor)) continue;
      if (first !== undefined) this.#marked.add(editor);
      editor.setDecorations(this.#mark, lines.map(lineRange));
      if (reveals && first !== undefined)
        editor.revealRange(lineRange(first), vscode.TextEditorRevealType.InCenterIfOutsideViewport);
    }
  }
}

function isOtherSide(editor: vscode.TextEditor, active: vscode.TextEditor): boolean {
  return isPane(editor.document) !== isPane(active.document);
}

/** Lines of `editor` that belong to the lines of the cursor or selection in `active`, ascending. */
function linkedLines(
  document: ProgramDocument,
  active: vscode.TextEditor,
  editor: vscode.TextEditor,
): readonly number[] {
  const found = new Set<number>();
  for (const { start, end } of active.selections) {
    for (let line = start.line; line <= end.line; line++) {
      if (isPane(active.document)) {
        const source = document.sourceOf(line);
        if (source !== undefined && showsPath(editor.document.uri, source.path)) found.add(source.line);
      } else {
        const path = active.document.uri.fsPath;
        for (const each of document.linesFor({ path, line })) found.add(each);
      }
    }
  }
  return [...found].sort((a, b) => a - b);
}
