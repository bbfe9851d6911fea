import { type DocumentSymbol, SymbolKind } from 'vscode-languageserver';
import type { SymbolDef } from '#core/asm/references.ts';
import type { TextRange } from '#core/object/object.ts';
import type { Snapshot } from '../documents.ts';
import { rangeOf } from '../line-index.ts';
import { functionSpans, isCompilerLabel, sectionBlocks } from '../structure.ts';

/** `textDocument/documentSymbol`: sections, in them programs and functions with their labels, maps and constants. */
export function documentSymbols(snapshot: Snapshot): DocumentSymbol[] {
  const definitions = [...snapshot.assembled().definitions.values()]
    .filter(({ name, kind }) => kind !== 'section' && !isCompilerLabel(name))
    .sort((a, b) => a.range.start - b.range.start);
  return sectionBlocks(snapshot).flatMap((block): DocumentSymbol[] => {
    const within = definitions.filter(({ range }) => range.start >= block.start && range.start < block.end);
    const spans = functionSpans(snapshot, block);
    const functions = spans.map((span): DocumentSymbol => {
      const labels = within.filter(({ kind, range }) => {
        return kind === 'label' && range.start > span.start && range.start < span.end;
      });
      const end = trimmedEnd(snapshot, span);
      return {
        name: span.definition.name,
        detail: span.program === undefined ? 'function' : `program${typeText(span.program.progType)}`,
        kind: SymbolKind.Function,
        range: rangeOf(snapshot.index, { start: span.start, end }),
        selectionRange: rangeOf(snapshot.index, span.definition.range),
        children: labels.map((label) => leaf(snapshot, label)),
      };
    });
    const others = within.filter(({ kind, name, range }) => {
      if (spans.some(({ definition }) => definition.name === name)) return false;
      return kind !== 'label' || !spans.some(({ start, end }) => range.start > start && range.start < end);
    });
    const children = [...functions, ...others.map((one) => leaf(snapshot, one))].sort((a, b) => {
      return a.range.start.line - b.range.start.line || a.range.start.character - b.range.start.character;
    });
    if (block.name === undefined) return children;
    return [
      {
        name: block.name,
        detail: 'section',
        kind: SymbolKind.Namespace,
        range: rangeOf(snapshot.index, { start: block.start, end: trimmedEnd(snapshot, block) }),
        selectionRange: rangeOf(snapshot.index, block.nameRange),
        children,
      },
    ];
  });
}

function leaf(snapshot: Snapshot, { name, kind, range, value }: SymbolDef): DocumentSymbol {
  const lspRange = rangeOf(snapshot.index, range);
  const detail =
    kind === 'map'
      ? `${snapshot.assembled().value.maps.find((map) => map.name === name)?.type ?? ''} map`.trim()
      : kind === 'constant' && value !== undefined
        ? `= ${value}`
        : kind;
  return { name, detail, kind: SYMBOL_KINDS[kind], range: lspRange, selectionRange: lspRange };
}

const SYMBOL_KINDS = {
  label: SymbolKind.Key,
  function: SymbolKind.Function,
  map: SymbolKind.Object,
  constant: SymbolKind.Constant,
  section: SymbolKind.Namespace,
} as const;

function typeText(type: string | undefined): string {
  return type === undefined ? '' : `, ${type}`;
}

/** Without the white space at the end, but with at least the name. */
function trimmedEnd(snapshot: Snapshot, { start, end }: TextRange): number {
  return start + snapshot.index.text.slice(start, end).trimEnd().length;
}
