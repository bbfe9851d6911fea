import {
  type BenchResults,
  type BenchRow,
  COLUMNS,
  type Column,
  isMet,
  numberText,
  targetText,
} from './bench-results.ts';

/** What is compared with what, program by program. */
const RATIOS: readonly (readonly [Column, Column])[] = [
  ['wasm', 'kernel'],
  ['wasm', 'clang'],
  ['limit', 'wasm'],
  ['debug', 'wasm'],
  ['reference', 'interp'],
];

/** The page with its tables made anew: what stands between `<!-- bench: NAME -->` and `<!-- end -->`. Throws RangeError where one is missing. */
export function withBenchTables(page: string, results: BenchResults): string {
  const tables: Readonly<Record<string, string>> = {
    host: hostText(results),
    targets: targetTable(results),
    programs: programTable(results),
    ratios: ratioTable(results),
    rows: rowTable([...results.means, ...results.rows].filter(({ target }) => target === undefined)),
  };
  let text = page;
  for (const [name, table] of Object.entries(tables)) {
    const pattern = new RegExp(`(<!-- bench: ${name} -->\\n)[^]*?(<!-- end -->)`);
    if (!pattern.test(text))
      throw new RangeError(`the page has no place for ${name}: <!-- bench: ${name} -->`);
    text = text.replace(pattern, (_, begin: string, end: string) => `${begin}\n${table}\n\n${end}`);
  }
  return text;
}

function hostText({ host, missing }: BenchResults): string {
  const compilers = Object.entries(host.compilers).map(([name, version]) => `${name}: ${version}`);
  const clock = host.clock === 'thread' ? 'processor time of the thread' : 'time by the clock';
  const absent = missing.map((one) => ` Not measured: ${one}.`).join('');
  return `${host.date}: ${host.cpu}, ${host.nCpus} CPUs, ${host.os}, Node ${host.node}; ${compilers.join('; ')}. ${clock[0]?.toUpperCase()}${clock.slice(1)}.${absent}`;
}

function targetTable({ means, rows }: BenchResults): string {
  const lines = [...means, ...rows].filter(({ target }) => target !== undefined);
  return table(
    ['', 'target', 'median', 'p10 … p90', ''],
    lines.map((row) => [row.name, targetText(row), ...figures(row), isMet(row) ? 'reached' : '**missed**']),
  );
}

function programTable({ programs }: BenchResults): string {
  const used = COLUMNS.filter((column) => programs.some(({ ns }) => ns[column] !== undefined));
  return table(
    ['µs a run', 'million instructions', ...used],
    programs.map(({ title, insns, ns }) => [
      title,
      numberText(insns / 1e6),
      ...used.map((column) => numberText((ns[column]?.median ?? Number.NaN) / 1000)),
    ]),
  );
}

/** Ratios of the medians; the spread is that of the column that scatters most. */
function ratioTable({ programs }: BenchResults): string {
  return table(
    ['', ...RATIOS.map(([of, to]) => `${of} ÷ ${to}`), 'largest spread'],
    programs.map(({ title, ns }) => {
      const median = (column: Column): number => ns[column]?.median ?? Number.NaN;
      const scatter = Object.values(ns).map((its) => (its.p90 - its.p10) / its.median);
      return [
        title,
        ...RATIOS.map(([of, to]) => numberText(median(of) / median(to))),
        `${(Math.max(...scatter) * 100).toFixed(0)} %`,
      ];
    }),
  );
}

function rowTable(rows: readonly BenchRow[]): string {
  return table(
    ['', 'median', 'p10 … p90'],
    rows.map((row) => [row.name, ...figures(row)]),
  );
}

function figures({ median, p10, p90, unit, runs }: BenchRow): string[] {
  const spread = runs > 1 ? `${numberText(p10)} … ${numberText(p90)}` : '';
  return [`${numberText(median)} ${unit}`, spread];
}

function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    line(head),
    `|${head.map((_, i) => (i === 0 ? '---|' : '---:|')).join('')}`,
    ...lines.map(line),
  ].join('\n');
}
