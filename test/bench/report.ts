import { spread } from '#cli/bench/statistics.ts';
import { table } from '#cli/bench/table.ts';
import {
  type BenchResults,
  type BenchRow,
  type BenchTarget,
  type BenchUnit,
  isMet,
  limitText,
  numberText,
} from '../../scripts/lib/bench-results.ts';
import { programCells } from './program-cells.ts';

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

/** Everything as tables for people, in lines of at most 120 characters. */
export function benchText({ host, programs, means, rows, missing }: BenchResults): string {
  const measured = [...means, ...rows].map((row) => [
    row.name,
    ...[row.median, row.p10, row.p90].map(numberText),
    row.unit,
    limitText(row),
    isMet(row) === false ? 'missed' : '',
  ]);
  return [
    `${host.cpu}, ${host.nCpus} CPUs, ${host.os}, Node ${host.node}`,
    `time: ${host.clock === 'thread' ? 'processor time of the thread' : 'the clock, so other work shows'}; of the debug adapter always the clock`,
    '',
    table(programCells(programs)),
    '',
    table([['', 'median', 'p10', 'p90', 'unit', 'target', ''], ...measured]),
    ...missing.map((one) => `not measured: ${one}`),
  ].join('\n');
}
