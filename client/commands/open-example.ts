import { tmpdir } from 'node:os';
import * as vscode from 'vscode';
import { configurationsOf, describeExample } from './example-files.ts';

interface Example {
  /** Folder name: `xdp-firewall`. */
  readonly name: string;
  /** First heading and first sentence of its README. */
  readonly title: string;
  readonly summary: string;
  readonly folder: vscode.Uri;
}

/** The example that a window is being opened for: the window that opens it is another one. */
interface Opening {
  readonly folder: string;
  readonly program: string;
}

const OPENING_KEY = 'openExample.opening';

/** Copies one of the extension's examples to a place of the person's choice and opens it there. */
export async function openExample({ extensionUri, globalState }: vscode.ExtensionContext): Promise<void> {
  const root = vscode.Uri.joinPath(extensionUri, 'examples');
  const examples = await listExamples(root);
  const picked = await vscode.window.showQuickPick(
    examples.map((example) => ({
      label: example.name,
      description: example.title,
      detail: example.summary,
      example,
    })),
    {
      title: 'Open a BPF Example',
      placeHolder: 'The example is copied, so that you can change it',
      matchOnDetail: true,
    },
  );
  if (!picked) return;
  const parent = await chooseParent();
  if (!parent) return;
  const target = await freeFolder(parent, `bpf-${picked.example.name}`);
  await copyExample(root, picked.example, target);
  await openFolder(target, picked.example.name, globalState);
}

async function listExamples(root: vscode.Uri): Promise<Example[]> {
  const entries = await vscode.workspace.fs.readDirectory(root);
  const folders = entries.filter(
    ([name, type]) => type === vscode.FileType.Directory && !name.startsWith('.'),
  );
  return Promise.all(
    folders.map(async ([name]) => {
      const folder = vscode.Uri.joinPath(root, name);
      const readme = await readText(vscode.Uri.joinPath(folder, 'README.md'));
      return { name, folder, ...describeExample(readme, name) };
    }),
  );
}

/** A folder of the person's, or one for throw-away copies. */
async function chooseParent(): Promise<vscode.Uri | undefined> {
  const temporary = { label: '$(folder) Temporary Folder', description: tmpdir() };
  const choose = { label: '$(folder-opened) Choose a Folder…' };
  const where = await vscode.window.showQuickPick([temporary, choose], { title: 'Copy the Example To' });
  if (where === temporary) return vscode.Uri.file(tmpdir());
  if (where !== choose) return undefined;
  const [folder] =
    (await vscode.window.showOpenDialog({
      canSelectFiles: false,
      canSelectFolders: true,
      openLabel: 'Copy Here',
      title: 'Copy the Example To',
    })) ?? [];
  return folder;
}

/** `name`, or `name-2` and so on where that is taken. */
async function freeFolder(parent: vscode.Uri, name: string): Promise<vscode.Uri> {
  const taken = new Set((await vscode.workspace.fs.readDirectory(parent)).map(([entry]) => entry));
  let candidate = name;
  for (let n = 2; taken.has(candidate); n++) candidate = `${name}-${n}`;
  return vscode.Uri.joinPath(parent, candidate);
}

/** The example's folder beside a launch.json with its configurations: paths in it stay as they are. */
async function copyExample(root: vscode.Uri, example: Example, target: vscode.Uri): Promise<void> {
  const { fs } = vscode.workspace;
  await fs.createDirectory(target);
  await fs.copy(example.folder, vscode.Uri.joinPath(target, example.name));
  const launch = configurationsOf(
    await readText(vscode.Uri.joinPath(root, '.vscode', 'launch.json')),
    example.name,
  );
  if (launch === undefined) return;
  await fs.writeFile(vscode.Uri.joinPath(target, '.vscode', 'launch.json'), new TextEncoder().encode(launch));
}

/** Opens the copy; in a new window when this one shows a folder already. */
async function openFolder(target: vscode.Uri, name: string, memory: vscode.Memento): Promise<void> {
  const folder = vscode.Uri.joinPath(target, name);
  const entries = await vscode.workspace.fs.readDirectory(folder);
  const program = entries.map(([entry]) => entry).find((entry) => /\.(bpf\.s|bpfasm|ebpf|cbpf)$/.test(entry));
  if (program) {
    const opening: Opening = {
      folder: target.toString(),
      program: vscode.Uri.joinPath(folder, program).toString(),
    };
    await memory.update(OPENING_KEY, opening);
  }
  await vscode.commands.executeCommand('vscode.openFolder', target, {
    forceNewWindow: vscode.workspace.workspaceFolders !== undefined,
  });
}

/** Called in each new window: shows the example's program when this is the window that was opened for it. */
export async function showOpenedExample(memory: vscode.Memento): Promise<void> {
  const opening = memory.get<Opening>(OPENING_KEY);
  if (!opening || vscode.workspace.workspaceFolders?.[0]?.uri.toString() !== opening.folder) return;
  await memory.update(OPENING_KEY, undefined);
  await vscode.window.showTextDocument(vscode.Uri.parse(opening.program), { preview: false });
}

async function readText(uri: vscode.Uri): Promise<string> {
  try {
    return new TextDecoder().decode(await vscode.workspace.fs.readFile(uri));
  } catch {
    return '';
  }
}
