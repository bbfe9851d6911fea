import type * as vscode from 'vscode';

/** Languages whose documents hold programs that can be run: BPF assembly and classic BPF. */
export const BPF_LANGUAGES: readonly string[] = ['bpf', 'bpf-classic'];

/** Does the document hold a program that can be run and debugged? */
export function isBpfDocument(document: vscode.TextDocument | undefined): document is vscode.TextDocument {
  return document !== undefined && BPF_LANGUAGES.includes(document.languageId);
}
