import {
  type DefinitionParams,
  type DocumentHighlight,
  DocumentHighlightKind,
  type DocumentHighlightParams,
  ErrorCodes,
  type Location,
  type Position,
  type PrepareRenameParams,
  type Range,
  type ReferenceParams,
  type RenameParams,
  ResponseError,
  type WorkspaceEdit,
} from 'vscode-languageserver';
import type { AsmStatement } from '#core/asm/parse.ts';
import type { SymbolDef } from '#core/asm/references.ts';
import type { AsmToken } from '#core/asm/tokens.ts';
import type { TextRange } from '#core/object/object.ts';
import type { Snapshot } from '../documents.ts';
import { offsetAt, rangeOf } from '../line-index.ts';
import { placeAt, statementAt } from '../tokens-at.ts';

/** `textDocument/definition` of labels, functions, maps and constants. */
export function definition(snapshot: Snapshot, { position }: DefinitionParams): Location | null {
  const target = symbolAt(snapshot, position)?.definition;
  return target === undefined ? null : { uri: snapshot.uri, range: rangeOf(snapshot.index, target.range) };
}

/** `textDocument/references`, in the order of the text. */
export function references(snapshot: Snapshot, { position, context }: ReferenceParams): Location[] {
  return occurrencesAt(snapshot, position)
    .filter(({ isDefinition }) => context.includeDeclaration || !isDefinition)
    .map(({ range }) => ({ uri: snapshot.uri, range: rangeOf(snapshot.index, range) }));
}

/** `textDocument/documentHighlight`; null lets the client look for the same word by itself. */
export function highlights(
  snapshot: Snapshot,
  { position }: DocumentHighlightParams,
): DocumentHighlight[] | null {
  const found = occurrencesAt(snapshot, position);
  if (found.length === 0) return null;
  return found.map(({ range, isDefinition }) => ({
    range: rangeOf(snapshot.index, range),
    kind: isDefinition ? DocumentHighlightKind.Write : DocumentHighlightKind.Read,
  }));
}

/** `textDocument/prepareRename`: the name under the cursor, where this file defines it and it can be written plainly. */
export function prepareRename(snapshot: Snapshot, { position }: PrepareRenameParams): Range | null {
  const symbol = symbolAt(snapshot, position);
  if (symbol?.definition === undefined || !PLAIN_NAME.test(symbol.name)) return null;
  return rangeOf(snapshot.index, symbol.range);
}

/** `textDocument/rename`; a name that cannot be used is answered with a sentence. */
export function rename(
  snapshot: Snapshot,
  { position, newName }: RenameParams,
): WorkspaceEdit | null | ResponseError<void> {
  const symbol = symbolAt(snapshot, position);
  if (symbol?.definition === undefined || !PLAIN_NAME.test(symbol.name)) return null;
  const problem = nameProblem(snapshot, symbol.name, newName);
  if (problem !== undefined) return new ResponseError(ErrorCodes.InvalidParams, problem);
  const edits = occurrencesAt(snapshot, position).map(({ range }) => ({
    range: rangeOf(snapshot.index, range),
    newText: newName,
  }));
  return { changes: { [snapshot.uri]: edits } };
}

const PLAIN_NAME = /^[A-Za-z_.$][\w.$]*$/;

function nameProblem(snapshot: Snapshot, oldName: string, newName: string): string | undefined {
  if (!PLAIN_NAME.test(newName)) {
    return `${JSON.stringify(newName)} cannot be a name: letters, digits, _ . and $ can, and no digit at the start`;
  }
  if (/^([rw](\d|1[01])|ax)$/i.test(newName)) return `${newName} is a register; choose another name`;
  if (newName !== oldName && snapshot.assembled().definitions.has(newName)) {
    return `${newName} is already defined in this file; choose another name`;
  }
  return undefined;
}

interface Occurrence {
  readonly range: TextRange;
  readonly isDefinition: boolean;
}

interface SymbolAt {
  readonly name: string;
  /** Where it stands under the cursor. */
  readonly range: TextRange;
  /** Undefined for names that this file does not define. */
  readonly definition: SymbolDef | undefined;
}

function symbolAt(snapshot: Snapshot, position: Position): SymbolAt | undefined {
  const offset = offsetAt(snapshot.index, position);
  const { definitions, references } = snapshot.assembled();
  const holds = ({ start, end }: TextRange) => start <= offset && offset <= end;
  const reference = references.find(({ range }) => holds(range));
  if (reference?.target !== undefined) {
    return { name: reference.name, range: reference.range, definition: reference.target };
  }
  const place = placeAt(snapshot, offset);
  if (place?.token === undefined) return undefined;
  const own = references.find(
    ({ target }) => target !== undefined && target.range.start === place.token?.start,
  );
  if (own?.target !== undefined)
    return { name: own.target.name, range: own.target.range, definition: own.target };
  const name = nameOfToken(place.token, place.statement);
  return name === undefined ? undefined : { name, range: place.token, definition: definitions.get(name) };
}

/** Every place of the symbol under the cursor; none when there is no symbol. */
function occurrencesAt(snapshot: Snapshot, position: Position): Occurrence[] {
  const symbol = symbolAt(snapshot, position);
  if (symbol === undefined) return [];
  const { definition: target } = symbol;
  const isNumeric = /^\d/.test(snapshot.index.text.slice(symbol.range.start, symbol.range.end));
  const found = isNumeric ? byTarget(snapshot, target) : byName(snapshot, symbol);
  return found.sort((a, b) => a.range.start - b.range.start);
}

/** Numeric labels share their names: what belongs together only the assembler knows. */
function byTarget(snapshot: Snapshot, target: SymbolDef | undefined): Occurrence[] {
  if (target === undefined) return [];
  const uses = snapshot.assembled().references.filter((one) => one.target === target);
  return [
    { range: target.range, isDefinition: true },
    ...uses.map(({ range }) => ({ range, isDefinition: false })),
  ].filter(({ range }, at) => at === 0 || range.start !== target.range.start);
}

/** Also in directives (`.globl`, `.size`), where a name is no reference to the assembler. */
function byName(snapshot: Snapshot, { name, definition: target }: SymbolAt): Occurrence[] {
  const found: Occurrence[] = [];
  for (const line of snapshot.tree.lines) {
    if (!snapshot.index.text.slice(line.start, line.end).includes(name)) continue;
    const { tokens } = line;
    for (const token of tokens) {
      if (token.text !== name) continue;
      const isDirective = line.parsed.statements.some(({ kind }) => kind === 'directive');
      const statement = isDirective ? statementAt(line, tokens, token.start) : undefined;
      if (nameOfToken(token, statement) !== name) continue;
      found.push({
        range: { start: token.start, end: token.end },
        isDefinition: token.start === target?.range.start,
      });
    }
  }
  return found;
}

/** The symbol that a token names; undefined for words that only look like one, such as a map's type. */
function nameOfToken(token: AsmToken, statement: AsmStatement | undefined): string | undefined {
  if (!NAME_KINDS.has(token.kind)) return undefined;
  if (statement?.node.kind !== 'directive') return token.text;
  const { name, args } = statement.node;
  if (name === '.section' || name === '.program' || name === '.file') return undefined;
  const lineStart = statement.start - statement.node.start;
  const at = args.findIndex(
    ({ start, end }) => token.start >= lineStart + start && token.end <= lineStart + end,
  );
  return name === '.map' && at === 1 ? undefined : token.text;
}

const NAME_KINDS: ReadonlySet<string> = new Set(['label', 'symbol', 'constant', 'helper']);
