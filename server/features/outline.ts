import { type DocumentSymbol, SymbolKind } from 'vscode-languageserver';
import type { SymbolDef } from '#core/asm/references.ts';
import type { TextRange } from '#core/object/object.ts';
import type { Snapshot } from '../documents.ts';
import { rangeOf } from '../line-index.ts';
import {
  definitionsWithin,
  type FunctionSpan,
  functionSpans,
  isCompilerLabel,
  programsByName,
  sectionBlocks,
  sortedDefinitions,
} from '../structure.ts';

/** `textDocument/documentSymbol`: sections, in them programs and functions with their labels, maps and constants. */
export function documentSymbols(snapshot: Snapshot): DocumentSymbol[] {
  const definitions = sortedDefinitions(snapshot).filter(({ name, kind }) => {
    return kind !== 'section' && !isCompilerLabel(name);
  });
  const programs = programsByName(snapshot);
  const mapTypes = new Map(snapshot.assembled().value.maps.map(({ name, type }) => [name, type]));
  return sectionBlocks(snapshot).flatMap((block): DocumentSymbol[] => {
    const within = definitionsWithin(definitions, block);
    const spans = functionSpans(block, within, programs);
    const children: DocumentSymbol[] = [];
    const next = spans.values();
    let current: DocumentSymbol | undefined;
    for (const definition of within) {
      const isFunction = definition.kind === 'function' || programs.has(definition.name);
      const span = isFunction ? next.next().value : undefined;
      if (span !== undefined && span.definition === definition) {
        current = functionSymbol(snapshot, span);
        children.push(current);
      } else {
        const isInside = definition.kind === 'label' && current !== undefined;
        (isInside ? current?.children : children)?.push(leaf(snapshot, definition, mapTypes));
      }
    }
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

function functionSymbol(snapshot: Snapshot, span: FunctionSpan): DocumentSymbol {
  const { definition, program } = span;
  return {
    name: definition.name,
    detail: program === undefined ? 'function' : `program${typeText(program.progType)}`,
    kind: SymbolKind.Function,
    range: rangeOf(snapshot.index, { start: span.start, end: trimmedEnd(snapshot, span) }),
    selectionRange: rangeOf(snapshot.index, definition.range),
    children: [],
  };
}

function leaf(
  snapshot: Snapshot,
  { name, kind, range, value }: SymbolDef,
  mapTypes: ReadonlyMap<string, string>,
): DocumentSymbol {
  const lspRange = rangeOf(snapshot.index, range);
  const detail =
    kind === 'map'
      ? `${mapTypes.get(name) ?? ''} map`.trim()
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
