import type { JitListing } from '#core/protocol/jit.ts';
import type { JitSource } from '#core/protocol/jit-page.ts';

/** The columns, from left to right. */
export const COLUMNS = ['source', 'bpf', 'native'] as const;
export type ColumnName = (typeof COLUMNS)[number];

/** A row of one of the columns. */
export interface Place {
  readonly column: ColumnName;
  readonly row: number;
}

/** Rows of all three columns that belong together. */
export interface Linked {
  readonly source: ReadonlySet<number>;
  readonly bpf: ReadonlySet<number>;
  /** Rows `from` to before `to`, ascending. */
  readonly native: readonly (readonly [from: number, to: number])[];
}

/** Nothing belongs together. */
export const NOTHING: Linked = { source: new Set(), bpf: new Set(), native: [] };

/** A row of the source column: a line, or a file's heading (`line` 0). */
export interface SourceRow {
  readonly file: number;
  /** From 1. */
  readonly line: number;
  readonly text: string;
}

/**
 * The tables of a listing, ready to be asked from each side. The rows of instructions are the pivot: sources
 * and native code are known by them. Typed arrays throughout: a program may have a million native rows.
 */
export class Tables {
  readonly listing: JitListing;
  /** None without line info. */
  readonly sources: readonly JitSource[];
  readonly counts: Readonly<Record<ColumnName, number>>;
  readonly #texts: readonly (readonly string[])[];
  /** By file: its first row, its heading counted. */
  readonly #firstRow: readonly number[];
  readonly #hasHeadings: boolean;
  /** Of files without text: the lines that instructions stand in, ascending. */
  readonly #lines: readonly (readonly number[] | undefined)[];
  /** By row of instructions; −1: none. */
  readonly #sourceOf: Int32Array;
  readonly #bySource: Index;
  readonly #runStart: Uint32Array;
  readonly #runRow: Int32Array;
  readonly #runsOf: Index;

  /** @param loaded texts of the listing's files. */
  constructor(listing: JitListing, loaded: readonly JitSource[]) {
    this.listing = listing;
    const { bpf, native } = listing;
    const file = int32(bpf.file);
    const line = int32(bpf.line);
    // A file that no instruction has a line of is no source: hex digits, for instance.
    const sources = line.some((each) => each > 0) ? loaded : [];
    this.sources = sources;
    this.#texts = sources.map((source) => ('text' in source ? source.text.split(/\r\n|\r|\n/) : []));
    this.#lines = sources.map((source, number) =>
      'text' in source ? undefined : linesNamed(file, line, number),
    );
    this.#hasHeadings = sources.length > 1 || sources.some((source) => 'message' in source);
    let rows = 0;
    this.#firstRow = sources.map((_, number) => {
      const first = rows;
      const count = (this.#lines[number] ?? this.#texts[number] ?? []).length;
      rows += count + (this.#hasHeadings ? 1 : 0);
      return first;
    });
    this.#sourceOf = new Int32Array(bpf.count).fill(-1);
    for (let row = 0; row < bpf.count; row++)
      this.#sourceOf[row] = this.rowOfLine(file[row] ?? -1, line[row] ?? 0);
    this.#bySource = indexOf(this.#sourceOf, rows);
    const hasCode = !('message' in native);
    this.#runStart = hasCode ? new Uint32Array(int32(native.runStart).buffer) : new Uint32Array();
    this.#runRow = hasCode ? int32(native.runRow) : new Int32Array();
    this.#runsOf = indexOf(this.#runRow, bpf.count);
    this.counts = { source: rows, bpf: bpf.count, native: hasCode ? native.count : 0 };
  }

  /** The source column's row for a line of a file; −1: the column does not have it. */
  rowOfLine(file: number, line: number): number {
    const first = this.#firstRow[file];
    if (first === undefined || line < 1) return -1;
    const lines = this.#lines[file];
    const at = lines === undefined ? line - 1 : positionOf(lines, line);
    const count = (lines ?? this.#texts[file] ?? []).length;
    return at < 0 || at >= count ? -1 : first + at + (this.#hasHeadings ? 1 : 0);
  }

  /** What stands in a row of the source column. */
  sourceRow(row: number): SourceRow {
    const file = this.#firstRow.findLastIndex((first) => first <= row);
    const at = row - (this.#firstRow[file] ?? 0) - (this.#hasHeadings ? 1 : 0);
    const source = this.sources[file];
    if (at < 0) {
      const why = source !== undefined && 'message' in source ? `: ${source.message}` : '';
      return { file, line: 0, text: `${source?.name ?? ''}${why}` };
    }
    const line = this.#lines[file]?.[at] ?? at + 1;
    return { file, line, text: this.#texts[file]?.[at] ?? '' };
  }

  /** Row of the source column that a row of instructions stands in; −1: none. */
  sourceOf(bpfRow: number): number {
    return this.#sourceOf[bpfRow] ?? -1;
  }

  /** Row of instructions that a native row belongs to; −1: none. */
  bpfOfNative(row: number): number {
    return this.#runRow[this.#runAt(row)] ?? -1;
  }

  /** Rows of instructions that stand in a row of the source column, ascending. */
  bpfOfSource(row: number): Int32Array {
    return partOf(this.#bySource, row);
  }

  /** Where a breakpoint on the line of a source row stops: the first of each run of its instructions. */
  stopsOfSource(row: number): number[] {
    return [...this.bpfOfSource(row)].filter((bpf) => this.sourceOf(bpf - 1) !== row);
  }

  /** First native row that belongs to a row of instructions, in the order of addresses; −1: none. */
  firstNative(bpfRow: number): number {
    const [run] = partOf(this.#runsOf, bpfRow);
    return run === undefined ? -1 : (this.#runStart[run] ?? -1);
  }

  /** All that belongs to a row: to a native row its instruction, to that its line; to a line all it has become. */
  linked({ column, row }: Place): Linked {
    if (column === 'source') {
      const bpf = this.bpfOfSource(row);
      return { source: new Set([row]), bpf: new Set(bpf), native: this.#rangesOf(bpf) };
    }
    const bpfRow = column === 'bpf' ? row : this.bpfOfNative(row);
    if (bpfRow < 0) return { ...NOTHING, native: [[row, row + 1]] };
    const source = this.sourceOf(bpfRow);
    return {
      source: new Set(source < 0 ? [] : [source]),
      bpf: new Set([bpfRow]),
      native: this.#rangesOf([bpfRow]),
    };
  }

  #rangesOf(bpfRows: Iterable<number>): (readonly [number, number])[] {
    const ranges: (readonly [number, number])[] = [];
    for (const bpfRow of bpfRows) {
      for (const run of partOf(this.#runsOf, bpfRow)) {
        ranges.push([this.#runStart[run] ?? 0, this.#runStart[run + 1] ?? this.counts.native]);
      }
    }
    return ranges.sort(([a], [b]) => a - b);
  }

  #runAt(row: number): number {
    let low = 0;
    let high = this.#runStart.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#runStart[middle] ?? 0) <= row) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

/** Whether a row is among those that belong together. */
export function isLinked(linked: Linked, { column, row }: Place): boolean {
  if (column !== 'native') return linked[column].has(row);
  const { native } = linked;
  let low = 0;
  let high = native.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((native[middle]?.[0] ?? 0) <= row) low = middle + 1;
    else high = middle;
  }
  return row < (native[low - 1]?.[1] ?? 0);
}

/** First row of a column among those that belong together; −1: none. */
export function firstLinked(linked: Linked, column: ColumnName): number {
  if (column === 'native') return linked.native[0]?.[0] ?? -1;
  const rows = [...linked[column]];
  return rows.length === 0 ? -1 : rows.reduce((least, row) => Math.min(least, row));
}

/** For each value 0 … n − 1 the positions that it has in an array. */
interface Index {
  readonly starts: Uint32Array;
  readonly items: Int32Array;
}

function indexOf(values: Int32Array, n: number): Index {
  const starts = new Uint32Array(n + 1);
  for (const value of values) if (value >= 0) starts[value + 1] = (starts[value + 1] ?? 0) + 1;
  for (let value = 0; value < n; value++) starts[value + 1] = (starts[value + 1] ?? 0) + (starts[value] ?? 0);
  const next = starts.slice();
  const items = new Int32Array(starts[n] ?? 0);
  values.forEach((value, position) => {
    if (value < 0) return;
    const at = next[value] ?? 0;
    items[at] = position;
    next[value] = at + 1;
  });
  return { starts, items };
}

function partOf({ starts, items }: Index, value: number): Int32Array {
  if (value < 0 || value + 1 >= starts.length) return new Int32Array();
  return items.subarray(starts[value], starts[value + 1]);
}

function linesNamed(file: Int32Array, line: Int32Array, number: number): number[] {
  const found = new Set<number>();
  file.forEach((each, row) => {
    const at = line[row] ?? 0;
    if (each === number && at > 0) found.add(at);
  });
  return [...found].sort((a, b) => a - b);
}

/** Position of a number among ascending ones; −1: it is not among them. */
function positionOf(numbers: readonly number[], wanted: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((numbers[middle] ?? 0) < wanted) low = middle + 1;
    else high = middle;
  }
  return numbers[low] === wanted ? low : -1;
}

function int32(base64: string): Int32Array<ArrayBuffer> {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return new Int32Array(bytes.buffer);
}
