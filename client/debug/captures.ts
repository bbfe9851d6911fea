import { dirname } from 'node:path';
import * as vscode from 'vscode';

/** What the server accepts in one request. */
export const MAX_CAPTURE_BYTES = 16 << 20;
/** Larger captures are read only when somebody opens them in the picker. */
const EAGER_BYTES = 1 << 20;
const MAX_FILES = 20;

/** A capture file that the picker can offer. */
export interface CaptureFile {
  readonly uri: vscode.Uri;
  /** Path as a person knows it: relative to the workspace folder. */
  readonly label: string;
  /** Bytes. */
  readonly size: number;
  /** Small enough to list its packets at once. */
  readonly eager: boolean;
}

/** Captures near `program`: in its own folder, then in the rest of the workspace; nearest first, at most 20. */
export async function findCaptures(program: vscode.Uri): Promise<CaptureFile[]> {
  const folder = vscode.Uri.file(dirname(program.fsPath));
  const [near, all] = await Promise.all([capturesIn(folder), capturesInWorkspace()]);
  const uris = new Map([...near, ...all].map((uri) => [uri.toString(), uri]));
  const sorted = [...uris.values()].sort(
    (a, b) => steps(folder.path, a.path) - steps(folder.path, b.path) || a.path.localeCompare(b.path),
  );
  const files = await Promise.all(sorted.slice(0, MAX_FILES).map(describe));
  return files.filter((file) => file !== undefined);
}

async function capturesInWorkspace(): Promise<vscode.Uri[]> {
  return vscode.workspace.findFiles('**/*.{pcap,pcapng}', '**/node_modules/**', 200);
}

async function capturesIn(folder: vscode.Uri): Promise<vscode.Uri[]> {
  try {
    const entries = await vscode.workspace.fs.readDirectory(folder);
    return entries
      .filter(([name, type]) => (type & vscode.FileType.File) !== 0 && /\.pcap(ng)?$/i.test(name))
      .map(([name]) => vscode.Uri.joinPath(folder, name));
  } catch {
    return [];
  }
}

async function describe(uri: vscode.Uri): Promise<CaptureFile | undefined> {
  try {
    const { size } = await vscode.workspace.fs.stat(uri);
    return { uri, label: vscode.workspace.asRelativePath(uri), size, eager: size <= EAGER_BYTES };
  } catch {
    return undefined;
  }
}

/** Folders to go up and down from `folder` to the file's folder. */
function steps(folder: string, file: string): number {
  const from = folder.split('/');
  const to = file.split('/').slice(0, -1);
  let common = 0;
  while (common < from.length && from[common] === to[common]) common++;
  return from.length - common + (to.length - common);
}
