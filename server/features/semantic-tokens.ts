import {
  type SemanticTokens,
  SemanticTokensBuilder,
  type SemanticTokensDelta,
  type SemanticTokensDeltaParams,
  type SemanticTokensLegend,
  type SemanticTokensParams,
  type SemanticTokensRangeParams,
} from 'vscode-languageserver';
import type { SymbolDef } from '#core/asm/references.ts';
import type { AsmToken } from '#core/asm/tokens.ts';
import type { Diagnosed, Snapshot } from '../documents.ts';
import { type LineIndex, lineAt, lineEnd, offsetAt, positionAt } from '../line-index.ts';

const TYPES = [
  'keyword',
  'variable',
  'number',
  'string',
  'comment',
  'operator',
  'function',
  'label',
  'macro',
  'enumMember',
  'type',
  'namespace',
] as const;
const MODIFIERS = ['declaration', 'readonly', 'static', 'defaultLibrary'] as const;
/** A type of token. */
export type TokenType = (typeof TYPES)[number];
/** A modifier of tokens. */
export type Modifier = (typeof MODIFIERS)[number];

/** The standard token types and modifiers that this server uses, in the order of their numbers. */
export const TOKEN_LEGEND: SemanticTokensLegend = { tokenTypes: [...TYPES], tokenModifiers: [...MODIFIERS] };

/** Writes the tokens of lines that touch `from`…`to` (offsets) into `builder`, in order. */
export type PushTokens<S extends Diagnosed> = (
  builder: SemanticTokensBuilder,
  snapshot: S,
  from: number,
  to: number,
) => void;

/** Semantic tokens of one connection's documents; remembers the last answer of each for deltas. */
export interface TokenProvider<S extends Diagnosed> {
  full(snapshot: S, params: SemanticTokensParams): SemanticTokens;
  delta(snapshot: S, params: SemanticTokensDeltaParams): SemanticTokens | SemanticTokensDelta;
  range(snapshot: S, params: SemanticTokensRangeParams): SemanticTokens;
  /** The document was closed. */
  forget(uri: string): void;
}

/** The provider of one connection for documents whose tokens `push` knows. */
export function createTokenProvider<S extends Diagnosed>(push: PushTokens<S>): TokenProvider<S> {
  const builders = new Map<string, SemanticTokensBuilder>();
  const builderOf = (uri: string) => {
    const known = builders.get(uri);
    if (known !== undefined) return known;
    const builder = new SemanticTokensBuilder();
    builders.set(uri, builder);
    return builder;
  };
  return {
    full(snapshot) {
      builders.delete(snapshot.uri);
      const builder = builderOf(snapshot.uri);
      push(builder, snapshot, 0, snapshot.index.text.length);
      return builder.build();
    },
    delta(snapshot, { previousResultId }) {
      const builder = builderOf(snapshot.uri);
      builder.previousResult(previousResultId);
      push(builder, snapshot, 0, snapshot.index.text.length);
      return builder.buildEdits();
    },
    range(snapshot, { range }) {
      const builder = new SemanticTokensBuilder();
      push(builder, snapshot, offsetAt(snapshot.index, range.start), offsetAt(snapshot.index, range.end));
      return { data: builder.build().data };
    },
    forget: (uri) => builders.delete(uri),
  };
}

/** Tokens of BPF assembly. */
export function pushAsmTokens(
  builder: SemanticTokensBuilder,
  snapshot: Snapshot,
  from: number,
  to: number,
): void {
  const { definitions } = snapshot.assembled();
  const { index, tree } = snapshot;
  for (const line of tree.lines) {
    if (line.end < from) continue;
    if (line.start > to) break;
    const row = lineAt(index, line.start);
    // A line of the tree ends at a line feed only; LSP ends lines at a carriage return too.
    const isOneLine = lineEnd(index, row) === line.end;
    for (const token of line.tokens) {
      const meaning = meaningOf(token, definitions);
      if (meaning === undefined) continue;
      if (isOneLine) {
        const type = TYPES.indexOf(meaning[0]);
        builder.push(row, token.start - line.start, token.end - token.start, type, modifierBits(meaning));
      } else pushToken(builder, index, token, meaning);
    }
  }
}

/** Writes one token, in pieces where it reaches over the end of a line: LSP has none that do. */
export function pushToken(
  builder: SemanticTokensBuilder,
  index: LineIndex,
  { start, text }: { readonly start: number; readonly text: string },
  meaning: Meaning,
): void {
  const type = TYPES.indexOf(meaning[0]);
  const modifiers = modifierBits(meaning);
  for (const { index: at, 0: piece } of text.matchAll(/[^\r\n]+/g)) {
    const { line, character } = positionAt(index, start + at);
    builder.push(line, character, piece.length, type, modifiers);
  }
}

function modifierBits([, ...modifiers]: Meaning): number {
  return MODIFIERS.reduce(
    (bits, modifier, at) => (modifiers.includes(modifier) ? bits | (1 << at) : bits),
    0,
  );
}

/** What a token is: its type, then its modifiers. */
export type Meaning = readonly [TokenType, ...Modifier[]];

function meaningOf(token: AsmToken, definitions: ReadonlyMap<string, SymbolDef>): Meaning | undefined {
  switch (token.kind) {
    case 'mnemonic':
      return ['keyword'];
    case 'keyword':
      return /^[us](8|16|32|64)$/.test(token.text) ? ['type'] : ['keyword'];
    case 'register':
      return token.register === 10 ? ['variable', 'readonly'] : ['variable'];
    case 'number':
      return ['number'];
    case 'string':
      return ['string'];
    case 'comment':
      return ['comment'];
    case 'operator':
      return ['operator'];
    case 'directive':
      return ['macro'];
    case 'helper':
      return symbolMeaning(token, definitions) ?? ['function', 'defaultLibrary'];
    case 'constant':
      return symbolMeaning(token, definitions) ?? ['enumMember', 'readonly', 'defaultLibrary'];
    case 'label':
      return symbolMeaning(token, definitions) ?? (token.definition ? ['label', 'declaration'] : ['label']);
    case 'symbol':
      return symbolMeaning(token, definitions) ?? ['variable'];
    case 'invalid':
      return undefined;
  }
}

function symbolMeaning(token: AsmToken, definitions: ReadonlyMap<string, SymbolDef>): Meaning | undefined {
  const definition = definitions.get(token.text);
  if (definition === undefined) return undefined;
  const isDeclaration = token.start === definition.range.start;
  switch (definition.kind) {
    case 'function':
      return isDeclaration ? ['function', 'declaration'] : ['function'];
    case 'map':
      return isDeclaration ? ['variable', 'declaration', 'static'] : ['variable', 'static'];
    case 'constant':
      return isDeclaration ? ['enumMember', 'declaration', 'readonly'] : ['enumMember', 'readonly'];
    case 'section':
      return ['namespace'];
    case 'label':
      return isDeclaration ? ['label', 'declaration'] : ['label'];
  }
}
