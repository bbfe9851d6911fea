import { COLUMNS, type Column, numberText, type ProgramTimes } from '../../scripts/lib/bench-results.ts';

/** What times are divided by, where it was measured. */
const BASES: readonly Column[] = ['clang', 'kernel', 'wasm'];

/** A table's cells: a row for each program and engine with median and spread of a run, its ratio to native code, to the kernel's JIT and to `wasm`. */
export function programCells(programs: readonly ProgramTimes[]): string[][] {
  const bases = BASES.filter((base) => programs.some(({ ns }) => ns[base] !== undefined));
  const rows = programs.flatMap(({ title, insns, ns }) =>
    COLUMNS.flatMap((column) => {
      const its = ns[column];
      if (its === undefined) return [];
      const { median, p10, p90 } = its;
      return [
        [
          title,
          column,
          ...[median, p10, p90].map((one) => numberText(one / 1000)),
          `${(((p90 - p10) / median) * 100).toFixed(0)} %`,
          ...bases.map((base) => numberText(median / (ns[base]?.median ?? Number.NaN))),
          numberText((insns / median) * 1000),
        ],
      ];
    }),
  );
  const head = ['one run, µs', '', 'median', 'p10', 'p90', 'spread'];
  return [[...head, ...bases.map((base) => `÷ ${base}`), 'million insns/s'], ...rows];
}
