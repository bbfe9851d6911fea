import * as vscode from 'vscode';

/** What a page says about the thing under the mouse, in `data-vscode-context`. */
interface CopyContext {
  readonly bpfValue?: string;
  readonly bpfMeaning?: string;
  readonly bpfRow?: string;
}

/** Puts one part of the row under the mouse on the clipboard; nothing when the page names no such part. */
export async function copyFromView(context: unknown, part: keyof CopyContext): Promise<void> {
  if (typeof context !== 'object' || context === null) return;
  const text = (context as CopyContext)[part];
  if (typeof text === 'string') await vscode.env.clipboard.writeText(text);
}
