import {
  type BenchResults,
  type BenchRow,
  type BenchTarget,
  type BenchUnit,
  COLUMNS,
  isMet,
  numberText,
  type Spread,
  targetText,
} from '../../scripts/lib/bench-results.ts';

/** Median and spread of samples; NaN of none. */
export function spread(samples: readonly number[]): Spread {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (part: number): number => sorted[Math.round(part * (sorted.length - 1))] ?? Number.NaN;
  return { median: at(0.5), p10: at(0.1), p90: at(0.9), rounds: sorted.length };
}

/**
 * The row of `samples`, all in `unit`. `target`: what the median should stay below (times) or reach (rates, and
 * ratios of which more is better).
 */
export function benchRow(
  name: string,
  unit: BenchUnit,
  samples: readonly number[],
  target?: number | BenchTarget,
): BenchRow {
  const { rounds, ...its } = spread(samples);
  const isTime = unit === 'ms' || unit === 'µs' || unit === 'ns';
  const limit = typeof target === 'number' ? (isTime ? { most: target } : { least: target }) : target;
  return { name, unit, ...its, runs: rounds, ...(limit === undefined ? {} : { target: limit }) };
}

/** The geometric mean; NaN of nothing. */
export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

/** Everything as tables for people. */
export function benchText({ host, programs, means, rows, missing }: BenchResults): string {
  const microseconds = programs.map(({ title, insns, ns }) => [
    title,
    numberText(insns / 1e6),
    ...COLUMNS.map((column) => numberText((ns[column]?.median ?? Number.NaN) / 1000)),
  ]);
  const measured = [...means, ...rows].map((row) => [
    row.name,
    ...[row.median, row.p10, row.p90].map(numberText),
    row.unit,
    `${targetText(row)}${isMet(row) === false ? '  missed' : ''}`,
  ]);
  return [
    `${host.cpu}, ${host.nCpus} CPUs, ${host.os}, Node ${host.node}; time: ${host.clock === 'thread' ? 'processor time of the thread' : 'the clock, so other work shows'}`,
    '',
    table([['one run, µs', 'million insns', ...COLUMNS], ...microseconds]),
    '',
    table([['', 'median', 'p10', 'p90', 'unit', 'target'], ...measured]),
    ...missing.map((one) => `not measured: ${one}`),
  ].join('\n');
}

function table(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
