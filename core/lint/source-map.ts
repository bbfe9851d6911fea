import type { Assembled } from '../asm/assemble.ts';
import { type AsmLine, lineIndexAt } from '../asm/parse.ts';
import type { AsmToken } from '../asm/tokens.ts';
import type { InsnIndex } from '../isa/insn.ts';
import type { Diagnostic, TextRange } from '../object/object.ts';
import { createDataMap } from './data-in-code.ts';
import type { CodeFunction } from './functions.ts';

/** From instructions back to the text that they were assembled from. */
export interface SourceMap {
  /** Where the instruction at a slot of a section stands; undefined where nothing in the text made it. */
  rangeOfInsn(section: number, slot: InsnIndex): TextRange | undefined;
  /** A register inside `place`: its first or last mention; `place` itself where it is not written there. */
  rangeOfRegister(place: TextRange, register: number, which: 'first' | 'last'): TextRange;
  /** 1-based line of an offset. */
  lineOf(offset: number): number;
  /** White space at the start of the line of an offset. */
  indentAt(offset: number): string;
  /** Has the assembler said something about this place already? */
  hasErrorIn(place: TextRange): boolean;
  /** Did the assembler reject part of this function, so that its instructions are not all there? */
  isBroken(fn: CodeFunction): boolean;
}

/** The source map of an assembled text and the functions it was cut into. */
export function createSourceMap(assembled: Assembled, functions: readonly CodeFunction[]): SourceMap {
  const { tree } = assembled;
  const rangeOfData = createDataMap(assembled);
  const errors = assembled.diagnostics.filter(({ severity }) => severity === 'error');
  const broken = brokenFunctions(assembled, errors, functions);
  // a line is lexed on each call, and may hold thousands of statements
  let lexed: { readonly line: AsmLine | undefined; readonly tokens: readonly AsmToken[] } | undefined;
  return {
    rangeOfInsn: (section, slot) => {
      return assembled.rangeOfInsn(section, slot) ?? rangeOfData(section, slot);
    },
    rangeOfRegister(place, register, which) {
      const line = tree.lines[lineIndexAt(tree, place.start)];
      if (lexed?.line !== line || lexed === undefined) lexed = { line, tokens: line?.tokens ?? [] };
      const { tokens } = lexed;
      let token: AsmToken | undefined;
      for (let at = countUpTo(tokens, place.start - 1, ({ start }) => start); at < tokens.length; at++) {
        const one = tokens[at];
        if (one === undefined || one.end > place.end) break;
        if (one.register !== register) continue;
        token = one;
        if (which === 'first') break;
      }
      return token === undefined ? place : { start: token.start, end: token.end };
    },
    lineOf: (offset) => lineIndexAt(tree, offset) + 1,
    indentAt(offset) {
      const line = tree.lines[lineIndexAt(tree, offset)];
      return line === undefined ? '' : (/^[ \t]*/.exec(tree.text.slice(line.start, line.end))?.[0] ?? '');
    },
    hasErrorIn: overlapTest(errors.map(({ range }) => range)),
    isBroken: (fn) => broken.has(placeKey(fn)),
  };
}

/** Each error belongs to the function that begins last before it. */
function brokenFunctions(
  assembled: Assembled,
  errors: readonly Diagnostic[],
  functions: readonly CodeFunction[],
): ReadonlySet<string> {
  const broken = new Set<string>();
  if (errors.length === 0) return broken;
  const starts = functions
    .map((fn) => ({ key: placeKey(fn), start: startOf(assembled, fn) }))
    .filter(({ start }) => start !== undefined)
    .sort((a, b) => (a.start ?? 0) - (b.start ?? 0));
  for (const { range } of errors) {
    const at = countUpTo(starts, range.start, ({ start }) => start ?? 0);
    const owner = starts[Math.max(at - 1, 0)];
    if (owner !== undefined) broken.add(owner.key);
  }
  return broken;
}

/** Its label, or its first instruction where it has none. */
function startOf(assembled: Assembled, fn: CodeFunction): number | undefined {
  const first = assembled.rangeOfInsn(fn.section, fn.start)?.start;
  const label = assembled.definitions.get(fn.name)?.range.start;
  if (first === undefined || label === undefined) return label ?? first;
  return Math.min(first, label);
}

function placeKey({ section, start }: CodeFunction): string {
  return `${section}:${start}`;
}

/** Answers whether a range overlaps one of `ranges`, in logarithmic time. */
function overlapTest(ranges: readonly TextRange[]): (place: TextRange) => boolean {
  const sorted = [...ranges].sort((a, b) => a.start - b.start);
  let farthest = 0;
  const ends = sorted.map(({ end }) => {
    farthest = Math.max(farthest, end);
    return farthest;
  });
  return ({ start, end }) => {
    const before = countUpTo(sorted, end - 1, (range) => range.start);
    return before > 0 && (ends[before - 1] ?? 0) > start;
  };
}

/** How many of `sorted` have a key of at most `limit`. */
function countUpTo<T>(sorted: readonly T[], limit: number, key: (one: T) => number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const one = sorted[middle];
    if (one !== undefined && key(one) <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
