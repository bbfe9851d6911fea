import type { LineInfo } from '../object/object.ts';
import type { ClassicDebug } from './classic.ts';
import { indexLines, type LineIndex } from './line-index.ts';
import { baseName } from './paths.ts';

/**
 * Lines of a classic program: instructions are where the chosen view shows them, and breakpoints can stand
 * in both texts.
 */
export function classicLines(classic: ClassicDebug, fileName: string): LineIndex {
  const own = indexLines(ownLineInfo(classic), [fileName], fileName);
  if (classic.view === 'classic') return own;
  const { text } = classic;
  const converted = indexLines(text.lineInfo, [baseName(text.file)], fileName);
  const [file] = converted.files;
  const indexOf = (name: string): LineIndex => (name === file ? converted : own);
  return {
    locationOf: (slot) => converted.locationOf(slot),
    entryOf: (slot) => converted.entryOf(slot),
    slotsOfLine: (name, line) => indexOf(name).slotsOfLine(name, line),
    linesOf: (name) => indexOf(name).linesOf(name),
    files: [...converted.files, ...own.files],
  };
}

function ownLineInfo({ program, firstSlot }: ClassicDebug): LineInfo[] {
  return program.insns.map(({ line, column }, pc) => ({
    insnOff: firstSlot[pc] ?? 0,
    file: 0,
    line,
    column,
  }));
}
