import * as vscode from 'vscode';
import { looksLikeBpf, MAX_LOOKED_AT } from './bpf-text.ts';

const NEVER_KEY = 'plainAssembly.neverAsk';

/**
 * Offers, once a file, to treat a plain `.s` file with BPF in it as BPF assembly. The extension claims no
 * plain `.s`: that ending belongs to every processor.
 */
export function offerToSwitch(memory: vscode.Memento): vscode.Disposable {
  const asked = new Set<string>();
  const look = async (document: vscode.TextDocument) => {
    const key = document.uri.toString();
    if (!isCandidate(document) || asked.has(key) || memory.get(NEVER_KEY, false)) return;
    const text = document.getText(new vscode.Range(0, 0, document.positionAt(MAX_LOOKED_AT).line + 1, 0));
    if (!looksLikeBpf(text)) return;
    asked.add(key);
    const name = vscode.workspace.asRelativePath(document.uri);
    const answer = await vscode.window.showInformationMessage(
      `${name} looks like BPF assembly.`,
      'Use BPF',
      'Don’t Ask Again',
    );
    if (answer === 'Use BPF') await vscode.languages.setTextDocumentLanguage(document, 'bpf');
    else if (answer === 'Don’t Ask Again') await memory.update(NEVER_KEY, true);
  };
  // Only what a person looks at: searches and other extensions open files too.
  const lookAtEditor = (editor: vscode.TextEditor | undefined) => {
    if (editor) void look(editor.document);
  };
  lookAtEditor(vscode.window.activeTextEditor);
  return vscode.window.onDidChangeActiveTextEditor(lookAtEditor);
}

/** The command behind the palette's "Use BPF Assembly for This File". */
export async function switchActiveFile(): Promise<void> {
  const document = vscode.window.activeTextEditor?.document;
  if (document) await vscode.languages.setTextDocumentLanguage(document, 'bpf');
}

function isCandidate(document: vscode.TextDocument): boolean {
  return (
    document.uri.scheme === 'file' &&
    /(?<!\.bpf)\.s$/i.test(document.uri.path) &&
    document.languageId !== 'bpf'
  );
}
