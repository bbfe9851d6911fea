import type { TextDocumentContentChangeEvent, TextDocumentItem } from 'vscode-languageserver';
import { type ClassicSource, classicObject } from '#core/cbpf/object.ts';
import type { Diagnosed } from '../documents.ts';
import { fileNameOf } from '../documents.ts';
import { applyEdit, type LineIndex, lineIndexOf } from '../line-index.ts';

/** One state of an open classic BPF document; read when first asked for. */
export interface ClassicSnapshot extends Diagnosed {
  /** The program as read, checked and converted. */
  source(): ClassicSource;
}

/** The open classic BPF documents of one connection. */
export interface ClassicStore {
  get(uri: string): ClassicSnapshot | undefined;
  /** True when the document is classic BPF: language `bpf-classic`, or a name that ends in `.cbpf`. */
  open(item: TextDocumentItem): boolean;
  /** Applies edits in order; false when the document is not open here. */
  change(uri: string, version: number, edits: readonly TextDocumentContentChangeEvent[]): boolean;
  /** False when the document was not open here. */
  close(uri: string): boolean;
}

/** An empty store. */
export function createClassicStore(): ClassicStore {
  const snapshots = new Map<string, ClassicSnapshot>();
  return {
    get: (uri) => snapshots.get(uri),
    open({ uri, languageId, version, text }) {
      if (languageId !== 'bpf-classic' && !/\.cbpf$/i.test(uri)) return false;
      snapshots.set(uri, snapshotOf(uri, version, lineIndexOf(text)));
      return true;
    },
    change(uri, version, edits) {
      const old = snapshots.get(uri);
      if (old === undefined) return false;
      snapshots.set(
        uri,
        snapshotOf(
          uri,
          version,
          edits.reduce<LineIndex>((index, edit) => applyEdit(index, edit).index, old.index),
        ),
      );
      return true;
    },
    close: (uri) => snapshots.delete(uri),
  };
}

function snapshotOf(uri: string, version: number, index: LineIndex): ClassicSnapshot {
  const fileName = fileNameOf(uri);
  let source: ClassicSource | undefined;
  const read = (): ClassicSource => {
    source ??= classicObject(index.text, { fileName, name: fileName.replace(/\..*$/, '') });
    return source;
  };
  return { uri, version, index, source: read, diagnostics: () => read().diagnostics };
}
