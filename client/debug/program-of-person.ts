import * as vscode from 'vscode';
import { isBpfDocument } from '../bpf-document.ts';
import { PROGRAM_SCHEME } from '../program-text/places.ts';

/** What F5 means: a document, and which of its programs where that is no matter of the cursor. */
export interface ProgramOfPerson {
  readonly document: vscode.TextDocument;
  /** Name of a program; it may have gone since. */
  readonly prog?: string;
}

/** What was debugged last, as it is kept. */
interface Started {
  readonly program: string;
  readonly prog?: string;
}

const KEY = 'startedLast';

/** Keeps what is being started: a text made of it says nothing of where it comes from. */
export async function rememberStarted(
  memory: vscode.Memento,
  { program, prog }: { readonly program: string; readonly prog?: unknown },
): Promise<void> {
  await memory.update(KEY, { program, ...(typeof prog === 'string' ? { prog } : {}) } satisfies Started);
}

/**
 * The active editor's document. Where that is one that we or the adapter have made, the program that it was made
 * of: the active session's, else the one debugged last. Only where nothing is known of one, or it cannot be opened,
 * the program beside it, if there is only one.
 */
export async function programOfPerson(memory: vscode.Memento): Promise<ProgramOfPerson | undefined> {
  const active = vscode.window.activeTextEditor?.document;
  if (active === undefined) return undefined;
  if (!isMade(active)) return { document: active };
  const session = vscode.debug.activeDebugSession;
  const started =
    (session?.type === 'bpf' ? readStarted(session.configuration) : undefined) ??
    readStarted(memory.get(KEY));
  const document = started && (await opened(started.program));
  if (document !== undefined)
    return { document, ...(started?.prog === undefined ? {} : { prog: started.prog }) };
  const beside = new Set(
    vscode.window.visibleTextEditors
      .map((editor) => editor.document)
      .filter((each) => isBpfDocument(each) && !isMade(each)),
  );
  const [only] = beside;
  return only === undefined || beside.size > 1 ? undefined : { document: only };
}

/** The rewritten program, and sources that an adapter has sent. */
function isMade({ uri }: vscode.TextDocument): boolean {
  return uri.scheme === PROGRAM_SCHEME || uri.scheme === 'debug';
}

function readStarted(kept: unknown): Started | undefined {
  if (typeof kept !== 'object' || kept === null) return undefined;
  const { program, prog } = kept as { readonly program?: unknown; readonly prog?: unknown };
  if (typeof program !== 'string' || program === '') return undefined;
  return { program, ...(typeof prog === 'string' ? { prog } : {}) };
}

/** Undefined where the file has gone, or is no text of a program. */
async function opened(path: string): Promise<vscode.TextDocument | undefined> {
  try {
    const document = await vscode.workspace.openTextDocument(vscode.Uri.file(path));
    return isBpfDocument(document) ? document : undefined;
  } catch {
    return undefined;
  }
}
