import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import type { ViewName } from '#core/protocol/views.ts';

/** The page of a view: its script and style from `dist/webview`, and nothing else may load. */
export function pageHtml(
  webview: vscode.Webview,
  dist: vscode.Uri,
  view: ViewName | 'jit',
  title: string,
): string {
  const nonce = randomBytes(16).toString('base64url');
  const script = webview.asWebviewUri(vscode.Uri.joinPath(dist, 'webview', `${view}.js`));
  const style = webview.asWebviewUri(vscode.Uri.joinPath(dist, 'webview', `${view}.css`));
  const policy = `default-src 'none'; script-src 'nonce-${nonce}'; style-src ${webview.cspSource};`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${style}">
<title>${title}</title>
</head>
<body data-vscode-context='{"preventDefaultContextMenuItems": true}'>
<script nonce="${nonce}" src="${script}"></script>
</body>
</html>`;
}
