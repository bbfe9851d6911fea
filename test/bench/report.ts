/** One measured thing: its spread over some runs, and what it should stay under or above. */
export interface BenchRow {
  readonly name: string;
  readonly unit: 'ms' | 'million/s' | 'times';
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly runs: number;
  /** Times should stay below it, rates and ratios above it; undefined where nothing was promised. */
  readonly target?: number | undefined;
}

/** The row of `samples`, all in `unit`. */
export function benchRow(
  name: string,
  unit: BenchRow['unit'],
  samples: readonly number[],
  target?: number,
): BenchRow {
  const sorted = [...samples].sort((a, b) => a - b);
  return {
    name,
    unit,
    median: sorted[sorted.length >> 1] ?? Number.NaN,
    min: sorted[0] ?? Number.NaN,
    max: sorted.at(-1) ?? Number.NaN,
    runs: sorted.length,
    ...(target === undefined ? {} : { target }),
  };
}

/** The rows as a table for people. */
export function benchTable(rows: readonly BenchRow[]): string {
  const width = Math.max(...rows.map(({ name }) => name.length));
  const line = (cells: readonly string[]) => cells.map((cell) => cell.padStart(9)).join(' ');
  return [
    `${''.padEnd(width)} ${line(['median', 'min', 'max', 'target', 'unit'])}`,
    ...rows.map(({ name, unit, median, min, max, target }) => {
      const wanted = target === undefined ? '' : `${unit === 'ms' ? '<' : '>'} ${target}`;
      return `${name.padEnd(width)} ${line([...[median, min, max].map((value) => value.toFixed(2)), wanted, unit])}`;
    }),
  ].join('\n');
}
