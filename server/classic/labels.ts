import {
  type DocumentHighlight,
  DocumentHighlightKind,
  type DocumentSymbol,
  ErrorCodes,
  type Location,
  type Range,
  type ReferenceParams,
  type RenameParams,
  ResponseError,
  SymbolKind,
  type TextDocumentPositionParams,
  type WorkspaceEdit,
} from 'vscode-languageserver';
import type { ClassicLabel, ClassicLabelUse, ClassicProgram } from '#core/cbpf/program.ts';
import { rowsNamed } from '#core/cbpf/table.ts';
import type { TextRange } from '#core/object/object.ts';
import { offsetAt, rangeOf } from '../line-index.ts';
import type { ClassicSnapshot } from './documents.ts';

/** A label under the pointer, with everything that belongs to it. */
export interface LabelAt {
  readonly name: string;
  /** The word under the pointer. */
  readonly range: TextRange;
  readonly definition: ClassicLabel | undefined;
  readonly uses: readonly ClassicLabelUse[];
}

/** The label whose definition or use holds `offset`. */
export function labelAt(program: ClassicProgram, offset: number): LabelAt | undefined {
  const found = [...program.labels, ...program.uses].find(
    ({ range }) => offset >= range.start && offset <= range.end,
  );
  if (found === undefined) return undefined;
  return {
    name: found.name,
    range: found.range,
    definition: program.labels.find(({ name }) => name === found.name),
    uses: program.uses.filter(({ name }) => name === found.name),
  };
}

function at(snapshot: ClassicSnapshot, { position }: TextDocumentPositionParams): LabelAt | undefined {
  return labelAt(snapshot.source().value, offsetAt(snapshot.index, position));
}

/** `textDocument/definition` */
export function classicDefinition(
  snapshot: ClassicSnapshot,
  params: TextDocumentPositionParams,
): Location | null {
  const definition = at(snapshot, params)?.definition;
  return definition === undefined
    ? null
    : { uri: snapshot.uri, range: rangeOf(snapshot.index, definition.range) };
}

/** `textDocument/references` */
export function classicReferences(snapshot: ClassicSnapshot, params: ReferenceParams): Location[] {
  const label = at(snapshot, params);
  if (label === undefined) return [];
  const definition = params.context.includeDeclaration && label.definition ? [label.definition] : [];
  return [...definition, ...label.uses].map(({ range }) => ({
    uri: snapshot.uri,
    range: rangeOf(snapshot.index, range),
  }));
}

/** `textDocument/documentHighlight` */
export function classicHighlights(
  snapshot: ClassicSnapshot,
  params: TextDocumentPositionParams,
): DocumentHighlight[] {
  const label = at(snapshot, params);
  if (label === undefined) return [];
  const definition = label.definition === undefined ? [] : [label.definition];
  const write = definition.map(({ range }) => ({
    range: rangeOf(snapshot.index, range),
    kind: DocumentHighlightKind.Write,
  }));
  const read = label.uses.map(({ range }) => ({
    range: rangeOf(snapshot.index, range),
    kind: DocumentHighlightKind.Read,
  }));
  return [...write, ...read];
}

/** `textDocument/prepareRename`: labels that are defined can be renamed, nothing else. */
export function classicPrepareRename(
  snapshot: ClassicSnapshot,
  params: TextDocumentPositionParams,
): Range | null {
  const label = at(snapshot, params);
  return label?.definition === undefined ? null : rangeOf(snapshot.index, label.range);
}

/** `textDocument/rename`; an error where the new name is none or is taken. */
export function classicRename(
  snapshot: ClassicSnapshot,
  params: RenameParams,
): WorkspaceEdit | null | ResponseError<void> {
  const label = at(snapshot, params);
  const { newName } = params;
  if (label?.definition === undefined) return null;
  if (!/^[A-Za-z_]\w+$/.test(newName) || rowsNamed(newName.toLowerCase()).length > 0) {
    return new ResponseError(
      ErrorCodes.InvalidParams,
      `${newName} cannot be a label: two or more letters, digits and _, no digit first, no instruction's name`,
    );
  }
  const isTaken = snapshot.source().value.labels.some(({ name }) => name === newName && name !== label.name);
  if (isTaken) return new ResponseError(ErrorCodes.InvalidParams, `there is a label ${newName} already`);
  const edits = [label.definition, ...label.uses].map(({ range }) => ({
    range: rangeOf(snapshot.index, range),
    newText: newName,
  }));
  return { changes: { [snapshot.uri]: edits } };
}

/** `textDocument/documentSymbol`: the labels. */
export function classicSymbols(snapshot: ClassicSnapshot): DocumentSymbol[] {
  return snapshot.source().value.labels.map(({ name, range, index }) => ({
    name,
    detail: `instruction ${index}`,
    kind: SymbolKind.Key,
    range: rangeOf(snapshot.index, range),
    selectionRange: rangeOf(snapshot.index, range),
  }));
}
