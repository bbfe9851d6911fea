import * as vscode from 'vscode';

/**
 * The instruction that the selected frame is at: as VS Code marks the line of a stop.
 * @param media has the arrow in the two colours of VS Code's own.
 */
export function currentInstruction(media: vscode.Uri): vscode.TextEditorDecorationType {
  const arrow = (theme: string) => ({
    gutterIconPath: vscode.Uri.joinPath(media, `stack-frame-${theme}.svg`),
  });
  return vscode.window.createTextEditorDecorationType({
    isWholeLine: true,
    backgroundColor: new vscode.ThemeColor('editor.stackFrameHighlightBackground'),
    light: arrow('light'),
    dark: arrow('dark'),
    gutterIconSize: 'contain',
  });
}

/** Slot numbers: as line numbers look. */
export function slotNumber(): vscode.TextEditorDecorationType {
  return vscode.window.createTextEditorDecorationType({
    color: new vscode.ThemeColor('editorLineNumber.foreground'),
  });
}

/** Lines that belong to those the cursor is in on the other side: told by a bar, which is no caret, and not by colour alone. */
export function linkedLine(): vscode.TextEditorDecorationType {
  return vscode.window.createTextEditorDecorationType({
    isWholeLine: true,
    backgroundColor: new vscode.ThemeColor('editor.rangeHighlightBackground'),
    borderStyle: 'solid',
    borderWidth: '0 0 0 3px',
    borderColor: new vscode.ThemeColor('focusBorder'),
    overviewRulerColor: new vscode.ThemeColor('editorOverviewRuler.rangeHighlightForeground'),
    overviewRulerLane: vscode.OverviewRulerLane.Center,
  });
}
