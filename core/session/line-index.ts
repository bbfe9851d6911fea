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
 * Indexes line info (ascending `insnOff`).
 * @param files what the entries' `file` counts in; paths relative to `fileName`'s folder.
 */
export function indexLines(
  lineInfo: readonly LineInfo[],
  files: readonly string[],
  fileName: string,
): LineIndex {
  const paths = files.map((file) => besideFile(fileName, file));
  const folded = paths.map(foldPath);
  const byFile = new Map<string, Map<number, LinePlace[]>>();
  for (const [number, entry] of lineInfo.entries()) {
    const file = folded[entry.file];
    if (file === undefined) continue;
    const previous = lineInfo[number - 1];
    const lines = byFile.get(file) ?? new Map<number, LinePlace[]>();
    byFile.set(file, lines);
    const slots = lines.get(entry.line) ?? [];
    lines.set(entry.line, slots);
    const continues = previous?.file === entry.file && previous.line === entry.line;
    slots.push({ slot: entry.insnOff, column: entry.column, continues });
  }
  const sorted = new Map<string, readonly number[]>();
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
      return byFile.get(file)?.get(line) ?? [];
    },
    linesOf(file) {
      const known = sorted.get(file);
      if (known !== undefined) return known;
      const lines = [...(byFile.get(file)?.keys() ?? [])].sort((a, b) => a - b);
      sorted.set(file, lines);
      return lines;
    },
    files: [...byFile.keys()],
  };
}
