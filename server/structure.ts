import type { SymbolDef } from '#core/asm/references.ts';
import type { DirectiveStatement } from '#core/asm/statement.ts';
import type { ProgramEntry, TextRange } from '#core/object/object.ts';
import type { Snapshot } from './documents.ts';

/** The text from one section directive to the next. */
export interface SectionBlock extends TextRange {
  /** Undefined in front of the first directive. */
  readonly name: string | undefined;
  /** The section's name in the directive; the block's first character where there is none. */
  readonly nameRange: TextRange;
}

/** The text of a function: from its label to the next function's, or to the end of the block. */
export interface FunctionSpan extends TextRange {
  readonly definition: SymbolDef;
  readonly program: ProgramEntry | undefined;
}

/** Directives that change the section by themselves. */
const SHORT_SECTIONS = new Set(['.text', '.data', '.bss']);

/** Cuts the text into section blocks, in order, without gaps. */
export function sectionBlocks(snapshot: Snapshot): SectionBlock[] {
  const starts: { at: number; name: string | undefined; nameRange: TextRange }[] = [
    { at: 0, name: undefined, nameRange: { start: 0, end: 0 } },
  ];
  for (const line of snapshot.tree.lines) {
    for (const node of line.parsed.statements) {
      if (node.kind !== 'directive') continue;
      const found = sectionName(snapshot, node, line.start);
      if (found !== undefined) starts.push({ at: line.start + node.start, ...found });
    }
  }
  const { length } = snapshot.index.text;
  const blocks = starts.map(({ at, name, nameRange }, n) => {
    return { start: at, end: starts[n + 1]?.at ?? length, name, nameRange };
  });
  return blocks.filter(({ name, start, end }) => name !== undefined || end > start);
}

function sectionName(
  snapshot: Snapshot,
  node: DirectiveStatement,
  lineStart: number,
): { name: string; nameRange: TextRange } | undefined {
  if (SHORT_SECTIONS.has(node.name)) {
    return { name: node.name, nameRange: { start: lineStart + node.start, end: lineStart + node.end } };
  }
  const first = node.name === '.section' ? node.args[0] : undefined;
  if (first === undefined) return undefined;
  const nameRange = { start: lineStart + first.start, end: lineStart + first.end };
  const spelling = snapshot.index.text.slice(nameRange.start, nameRange.end).trim();
  return { name: spelling.replace(/^"(.*)"$/, '$1') || '?', nameRange };
}

/** The file's definitions in the order of the text. */
export function sortedDefinitions(snapshot: Snapshot): SymbolDef[] {
  return [...snapshot.assembled().definitions.values()].sort((a, b) => a.range.start - b.range.start);
}

/** Those of `sorted` that begin in `[start, end)`. */
export function definitionsWithin(sorted: readonly SymbolDef[], { start, end }: TextRange): SymbolDef[] {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle]?.range.start ?? start) < start) low = middle + 1;
    else high = middle;
  }
  const found: SymbolDef[] = [];
  for (let at = low; at < sorted.length; at++) {
    const definition = sorted[at];
    if (definition === undefined || definition.range.start >= end) break;
    found.push(definition);
  }
  return found;
}

/** The functions among `definitions`, which all begin in `block`. */
export function functionSpans(
  block: SectionBlock,
  definitions: readonly SymbolDef[],
  programs: ReadonlyMap<string, ProgramEntry>,
): FunctionSpan[] {
  const starts = definitions.filter(({ name, kind }) => {
    return kind === 'function' || (kind === 'label' && programs.has(name));
  });
  return starts.map((definition, n) => ({
    definition,
    program: programs.get(definition.name),
    start: definition.range.start,
    end: starts[n + 1]?.range.start ?? block.end,
  }));
}

/** The programs of the file by name. */
export function programsByName(snapshot: Snapshot): Map<string, ProgramEntry> {
  return new Map(snapshot.assembled().value.programs.map((program) => [program.name, program]));
}

/** Labels that compilers make for themselves, and numeric ones, whose names begin with a control character. */
export function isCompilerLabel(name: string): boolean {
  return /^(\.L|L(tmp|func_|info_|sec_|debug_|cu_)|\.?Lstr)/.test(name) || name.charCodeAt(0) < 32;
}
