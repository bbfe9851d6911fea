import { lastUpTo } from '../bytes/ascending.ts';
import type { InsnIndex } from '../isa/insn.ts';
import type { LineInfo } from '../object/object.ts';
import { besideFile, foldPath } from './paths.ts';
import type { SourceLocation } from './target-rows.ts';

/** One line-info entry of a line. */
export interface LinePlace {
  readonly slot: InsnIndex;
  /** From 1; 0 where unknown. */
  readonly column: number;
  /** The entry before it belongs to the same line: a breakpoint on the line does not stop here again. */
  readonly continues: boolean;
}

/** Line info of one program, both ways. Slots are original ones; lines and columns count from 1. */
export interface LineIndex {
  /** Where the instruction at `slot` stands in its source; undefined without line info. */
  locationOf(slot: InsnIndex): SourceLocation | undefined;
  /** The line-info entry that covers `slot`: its number and first slot. */
  entryOf(slot: InsnIndex): { readonly number: number; readonly start: InsnIndex } | undefined;
  /** The entries of a line; `file` folded (`foldPath`). */
  slotsOfLine(file: string, line: number): readonly LinePlace[];
  /** All lines of a file that have instructions, ascending; `file` folded. */
  linesOf(file: string): readonly number[];
  /** Folded paths of the files that the program has instructions of. */
  readonly files: readonly string[];
}

/**
 * Indexes line info (ascending `insnOff`): a few bytes an entry, and those by line only when they are asked for first.
 * @param files what the entries' `file` counts in; paths relative to `fileName`'s folder.
 */
export function indexLines(
  lineInfo: readonly LineInfo[],
  files: readonly string[],
  fileName: string,
): LineIndex {
  const paths = files.map((file) => besideFile(fileName, file));
  const folded = paths.map(foldPath);
  const sorted = new Map<string, readonly number[]>();
  let made: ReadonlyMap<string, Uint32Array> | undefined;
  const byFile = (): ReadonlyMap<string, Uint32Array> => {
    made ??= entriesByLine(lineInfo, folded);
    return made;
  };
  const lineOf = (number: number | undefined): number => lineInfo[number ?? -1]?.line ?? 0;
  const entryAt = (slot: InsnIndex): number =>
    lastUpTo(lineInfo.length, slot, (at) => lineInfo[at]?.insnOff ?? 0);
  return {
    locationOf(slot) {
      const entry = lineInfo[entryAt(slot)];
      const file = entry === undefined ? undefined : paths[entry.file];
      return entry === undefined || file === undefined
        ? undefined
        : { file, line: entry.line, column: entry.column };
    },
    entryOf(slot) {
      const number = entryAt(slot);
      const entry = lineInfo[number];
      return entry === undefined ? undefined : { number, start: entry.insnOff };
    },
    slotsOfLine(file, line) {
      const numbers = byFile().get(file) ?? NONE;
      const places: LinePlace[] = [];
      const before = lastUpTo(numbers.length, line - 1, (at) => lineOf(numbers[at]));
      for (let at = before + 1; at < numbers.length && lineOf(numbers[at]) === line; at++) {
        const number = numbers[at] ?? 0;
        const entry = lineInfo[number];
        if (entry === undefined) continue;
        const previous = lineInfo[number - 1];
        const continues = previous?.file === entry.file && previous.line === line;
        places.push({ slot: entry.insnOff, column: entry.column, continues });
      }
      return places;
    },
    linesOf(file) {
      const known = sorted.get(file);
      if (known !== undefined) return known;
      const lines: number[] = [];
      for (const number of byFile().get(file) ?? NONE) {
        if (lines.at(-1) !== lineOf(number)) lines.push(lineOf(number));
      }
      sorted.set(file, lines);
      return lines;
    },
    get files() {
      return [...byFile().keys()];
    },
  };
}

const NONE = new Uint32Array();

/** Numbers of the entries of each file, ascending by line; those of a line in their own order. */
function entriesByLine(
  lineInfo: readonly LineInfo[],
  folded: readonly string[],
): ReadonlyMap<string, Uint32Array> {
  const counts = new Map<string, number>();
  for (const { file } of lineInfo) {
    const name = folded[file];
    if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const lineOf = (number: number): number => lineInfo[number]?.line ?? 0;
  const entries = new Map<string, Uint32Array>();
  for (const [name, count] of counts) entries.set(name, new Uint32Array(count));
  const unsorted = new Set<Uint32Array>();
  const filled = new Map<Uint32Array, number>();
  for (const [number, { file }] of lineInfo.entries()) {
    const numbers = entries.get(folded[file] ?? '');
    if (numbers === undefined) continue;
    const at = filled.get(numbers) ?? 0;
    if (at > 0 && lineOf(numbers[at - 1] ?? 0) > lineOf(number)) unsorted.add(numbers);
    numbers[at] = number;
    filled.set(numbers, at + 1);
  }
  // most texts are in order already
  for (const numbers of unsorted) numbers.sort((a, b) => lineOf(a) - lineOf(b) || a - b);
  return entries;
}
