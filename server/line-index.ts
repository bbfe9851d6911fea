import type { Position, Range, TextDocumentContentChangeEvent } from 'vscode-languageserver';
import type { TextRange } from '#core/object/object.ts';

/**
 * Offsets to LSP positions and back. Both count UTF-16 units, and a line ends at `\n`, `\r\n` or a lone `\r`
 * (LSP 3.18, "Text Documents").
 */
export interface LineIndex {
  /** The text that is indexed. */
  readonly text: string;
  /** Offset at which each line starts; never empty. */
  readonly starts: readonly number[];
}

/** Finds the lines of `text`. */
export function lineIndexOf(text: string): LineIndex {
  const starts = [0];
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === 10) starts.push(at + 1);
    else if (unit === 13) {
      if (text.charCodeAt(at + 1) === 10) at++;
      starts.push(at + 1);
    }
  }
  return { text, starts };
}

/** Zero-based number of the line that holds `offset`; offsets outside the text are brought inside. */
export function lineAt(index: LineIndex, offset: number): number {
  let low = 0;
  let high = index.starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((index.starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Offset at which the text of zero-based line `line` ends, before its line break. */
export function lineEnd(index: LineIndex, line: number): number {
  let end = index.starts[line + 1] ?? index.text.length;
  const start = index.starts[line] ?? end;
  while (end > start && /[\r\n]/.test(index.text[end - 1] ?? '')) end--;
  return end;
}

/** Position of `offset`; offsets outside the text or inside a line break are brought to the end of the line. */
export function positionAt(index: LineIndex, offset: number): Position {
  const line = lineAt(index, Math.max(0, offset));
  const inside = Math.max(0, Math.min(offset, lineEnd(index, line)));
  return { line, character: inside - (index.starts[line] ?? 0) };
}

/** Offset of `position`; a line or character past the end means the end, as LSP has it. */
export function offsetAt(index: LineIndex, position: Position): number {
  if (position.line < 0) return 0;
  const start = index.starts[position.line];
  if (start === undefined) return index.text.length;
  const character = Math.max(0, Math.min(position.character, index.text.length));
  return Math.min(start + character, lineEnd(index, position.line));
}

/** LSP range of a range of offsets. */
export function rangeOf(index: LineIndex, range: TextRange): Range {
  return { start: positionAt(index, range.start), end: positionAt(index, range.end) };
}

/** What a client's edit replaces, and the text after it. */
export interface AppliedEdit {
  /** Undefined: all of the text. */
  readonly change: (TextRange & { readonly newText: string }) | undefined;
  readonly index: LineIndex;
}

/** Applies one edit of `textDocument/didChange`; a range whose ends are swapped is turned round. */
export function applyEdit(index: LineIndex, edit: TextDocumentContentChangeEvent): AppliedEdit {
  if (!('range' in edit)) return { change: undefined, index: lineIndexOf(edit.text) };
  const from = offsetAt(index, edit.range.start);
  const to = offsetAt(index, edit.range.end);
  const start = Math.min(from, to);
  const end = Math.max(from, to);
  const text = index.text.slice(0, start) + edit.text + index.text.slice(end);
  return { change: { start, end, newText: edit.text }, index: lineIndexOf(text) };
}
