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
import type { TextRange } from '#core/object/object.ts';
import type { Snapshot } from '../documents.ts';
import { lineAt, lineEnd, offsetAt, positionAt } from '../line-index.ts';

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
type TokenType = (typeof TYPES)[number];
type Modifier = (typeof MODIFIERS)[number];

/** The standard token types and modifiers that this server uses, in the order of their numbers. */
export const TOKEN_LEGEND: SemanticTokensLegend = { tokenTypes: [...TYPES], tokenModifiers: [...MODIFIERS] };

/** Semantic tokens of one connection's documents; remembers the last answer of each for deltas. */
export interface TokenProvider {
  full(snapshot: Snapshot, params: SemanticTokensParams): SemanticTokens;
  delta(snapshot: Snapshot, params: SemanticTokensDeltaParams): SemanticTokens | SemanticTokensDelta;
  range(snapshot: Snapshot, params: SemanticTokensRangeParams): SemanticTokens;
  /** The document was closed. */
  forget(uri: string): void;
}

/** The provider of one connection. */
export function createTokenProvider(): TokenProvider {
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
      pushLines(builder, snapshot, 0, snapshot.index.text.length);
      return builder.build();
    },
    delta(snapshot, { previousResultId }) {
      const builder = builderOf(snapshot.uri);
      builder.previousResult(previousResultId);
      pushLines(builder, snapshot, 0, snapshot.index.text.length);
      return builder.buildEdits();
    },
    range(snapshot, { range }) {
      const builder = new SemanticTokensBuilder();
      pushLines(
        builder,
        snapshot,
        offsetAt(snapshot.index, range.start),
        offsetAt(snapshot.index, range.end),
      );
      return { data: builder.build().data };
    },
    forget: (uri) => builders.delete(uri),
  };
}

function pushLines(builder: SemanticTokensBuilder, snapshot: Snapshot, from: number, to: number): void {
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
      const type = TYPES.indexOf(meaning[0]);
      const modifiers = modifierBits(meaning.slice(1));
      if (isOneLine) {
        builder.push(row, token.start - line.start, token.end - token.start, type, modifiers);
        continue;
      }
      for (const piece of piecesOf(token)) {
        const { line: pieceRow, character } = positionAt(index, piece.start);
        builder.push(pieceRow, character, piece.end - piece.start, type, modifiers);
      }
    }
  }
}

/** The parts of a token between carriage returns: a token may not reach over the end of a line. */
function piecesOf({ start, text }: AsmToken): TextRange[] {
  return [...text.matchAll(/[^\r]+/g)].map(({ index, 0: piece }) => {
    return { start: start + index, end: start + index + piece.length };
  });
}

function modifierBits(modifiers: readonly string[]): number {
  return MODIFIERS.reduce(
    (bits, modifier, at) => (modifiers.includes(modifier) ? bits | (1 << at) : bits),
    0,
  );
}

type Meaning = readonly [TokenType, ...Modifier[]];

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
