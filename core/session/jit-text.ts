import type { JitRow } from '../protocol/jit.ts';
import { bpfRowOfNative, type Listing, type NativeViewRows } from './jit-listing.ts';
import { bpfRow, nativeRow, sourceLineOf } from './jit-rows.ts';
import { baseName } from './paths.ts';

/** Columns of text that the bytes of most native instructions take. */
const BYTES_WIDTH = 30;
/** Text of a line of the program's own source; undefined for other files. */
export type SourceText = (file: string, line: number) => string | undefined;

/** Rows `start` to `end` of the instructions as aligned lines. */
export function bpfText(listing: Listing, start: number, end: number): string {
  const lines: string[] = [];
  for (let row = start; row < end; row++) lines.push(bpfLine(listing, row));
  return joined(lines);
}

/** Rows `start` to `end` of the native code as aligned lines. */
export function nativeText(listing: Listing, native: NativeViewRows, start: number, end: number): string {
  const width = offsetWidth(native);
  const lines: string[] = [];
  for (let row = start; row < end; row++) lines.push(nativeLine(nativeRow(listing, native, row), width));
  return joined(lines);
}

/**
 * Rows `start` to `end` of the native code with the instructions that they belong to, and those with their
 * source lines, in front of them: each where it begins. Instructions without code stand where they are in order.
 */
export function wholeText(
  listing: Listing,
  native: NativeViewRows,
  start: number,
  end: number,
  source: SourceText,
): string {
  const width = offsetWidth(native);
  const lines: string[] = [];
  let before = start === 0 ? -1 : bpfRowOfNative(native, start - 1);
  for (let row = start; row < end; row++) {
    const belongs = bpfRowOfNative(native, row);
    if (belongs >= 0 && belongs !== before) {
      for (let at = withoutCodeBefore(listing, native, belongs); at <= belongs; at++)
        lines.push(...withSource(listing, at, source));
    }
    if (belongs >= 0) before = belongs;
    const texts = nativeRow(listing, native, row);
    lines.push(texts.at === undefined ? nativeLine(texts, width) : `  ${nativeLine(texts, width)}`);
  }
  return joined(lines);
}

/** Rows `start` to `end` of the instructions, each with its source line in front where that is another one. */
export function bpfTextWithSource(listing: Listing, start: number, end: number, source: SourceText): string {
  const lines: string[] = [];
  for (let row = start; row < end; row++) lines.push(...withSource(listing, row, source));
  return joined(lines);
}

function withSource(listing: Listing, row: number, source: SourceText): string[] {
  const line = bpfLine(listing, row);
  const place = sourceLineOf(listing, row);
  const earlier = row === 0 ? undefined : sourceLineOf(listing, row - 1);
  if (place === undefined || (earlier?.file === place.file && earlier.line === place.line)) return [line];
  const text = source(place.file, place.line)?.trim();
  const where = `${baseName(place.file)}:${place.line}`;
  return [text === undefined ? `; ${where}` : `; ${where}  ${text}`, line];
}

/** First of the instructions without code right in front of `row`; `row` where there are none. */
function withoutCodeBefore({ bpf }: Listing, { size }: NativeViewRows, row: number): number {
  let first = row;
  while (first > 0 && (bpf.slotOfRow[first - 1] ?? -1) >= 0 && size[first - 1] === 0) first--;
  return first;
}

function bpfLine(listing: Listing, row: number): string {
  const { text, at, mark } = bpfRow(listing, row);
  if (at === undefined) return `${text}:`;
  const { slotOfRow } = listing.bpf;
  const width = String(slotOfRow.at(-1) ?? 0).length;
  const sign = mark === undefined ? ' ' : mark === 'added' ? '+' : '~';
  return `${String(at).padStart(width)}: ${sign} ${text}`;
}

function nativeLine({ text, at, bytes = '', address, size }: JitRow, width: number): string {
  if (at === undefined) return `${text}: ; ${address ?? ''}, ${size ?? 0} bytes`;
  const spaced = bytes.replace(/(..)(?!$)/g, '$1 ').padEnd(BYTES_WIDTH);
  return `${at.toString(16).padStart(width)}:  ${spaced}  ${text}`;
}

function offsetWidth({ code }: NativeViewRows): number {
  const { count, offset } = code.rows;
  return Math.max(3, (offset[count - 1] ?? 0).toString(16).length);
}

function joined(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}
