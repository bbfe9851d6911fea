import type { TextDocumentContentChangeEvent, TextDocumentItem } from 'vscode-languageserver';
import { type Assembled, assemble } from '#core/asm/assemble.ts';
import { type AsmTree, parseText, updateText } from '#core/asm/parse.ts';
import { lint } from '#core/lint/lint.ts';
import type { Diagnostic } from '#core/object/object.ts';
import { applyEdit, type LineIndex, lineIndexOf } from './line-index.ts';

/** So many edits in one notification are cheaper as one full parse. */
const MAX_INCREMENTAL_EDITS = 64;

/** What every state of an open document has, whatever its language. */
export interface Diagnosed {
  readonly uri: string;
  /** The client's version number. */
  readonly version: number;
  readonly index: LineIndex;
  /** Everything there is to complain about. */
  diagnostics(): readonly Diagnostic[];
}

/** One state of an open document. What is costly is computed when first asked for and kept with the state. */
export interface Snapshot extends Diagnosed {
  readonly tree: AsmTree;
  /** The assembled program with its symbols. */
  assembled(): Assembled;
}

/** The open documents of one connection; nothing is ever read from a disk. */
export interface DocumentStore {
  /** The newest state of an open BPF document; undefined for any other URI. */
  get(uri: string): Snapshot | undefined;
  /** True when the document is one that this server serves. */
  open(item: TextDocumentItem): boolean;
  /** Applies edits in order; false when the document is not open here. */
  change(uri: string, version: number, edits: readonly TextDocumentContentChangeEvent[]): boolean;
  /** False when the document was not open here. */
  close(uri: string): boolean;
  all(): Iterable<Snapshot>;
}

/** An empty store. */
export function createDocumentStore(): DocumentStore {
  const snapshots = new Map<string, Snapshot>();
  return {
    get: (uri) => snapshots.get(uri),
    open(item) {
      if (!isServed(item.uri, item.languageId)) return false;
      snapshots.set(item.uri, createSnapshot(item.uri, item.version, parseText(item.text)));
      return true;
    },
    change(uri, version, edits) {
      const old = snapshots.get(uri);
      if (old === undefined) return false;
      snapshots.set(uri, createSnapshot(uri, version, ...applyEdits(old, edits)));
      return true;
    },
    close: (uri) => snapshots.delete(uri),
    all: () => snapshots.values(),
  };
}

/**
 * Is this document ours? A plain `.s` file only when the client opened it as language `bpf`; the endings that
 * mean BPF assembly also when the client's name for the language is another.
 */
function isServed(uri: string, languageId: string): boolean {
  return languageId === 'bpf' || /\.(bpf\.s|bpfasm|ebpf)$/i.test(uri);
}

/** Last part of a URI's path, for messages and line info; the URI itself when it cannot be decoded. */
export function fileNameOf(uri: string): string {
  const last =
    uri
      .replace(/[?#].*$/s, '')
      .split('/')
      .pop() ?? '';
  try {
    return decodeURIComponent(last) || uri;
  } catch {
    return last || uri;
  }
}

function createSnapshot(uri: string, version: number, tree: AsmTree, index?: LineIndex): Snapshot {
  let assembled: Assembled | undefined;
  let diagnostics: readonly Diagnostic[] | undefined;
  const snapshot: Snapshot = {
    uri,
    version,
    tree,
    index: index ?? lineIndexOf(tree.text),
    assembled() {
      assembled ??= assemble(tree, { fileName: fileNameOf(uri) });
      return assembled;
    },
    diagnostics() {
      diagnostics ??= lint(snapshot.assembled());
      return diagnostics;
    },
  };
  return snapshot;
}

function applyEdits(old: Snapshot, edits: readonly TextDocumentContentChangeEvent[]): [AsmTree, LineIndex] {
  let { tree, index } = old;
  const whole = edits.length > MAX_INCREMENTAL_EDITS;
  for (const edit of edits) {
    const applied = applyEdit(index, edit);
    index = applied.index;
    if (whole) continue;
    tree = applied.change === undefined ? parseText(index.text) : updateText(tree, applied.change);
  }
  return [whole ? parseText(index.text) : tree, index];
}
