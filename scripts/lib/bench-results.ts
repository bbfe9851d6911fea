/** What `npm run bench -- --json` prints. Times of runs are nanoseconds of processor time where the host tells them. */
export interface BenchResults {
  readonly host: BenchHost;
  /** What is not on this machine, and so was not measured: `llvm-mc-19: not found`. */
  readonly missing: readonly string[];
  readonly programs: readonly ProgramTimes[];
  /** Geometric means over the programs. */
  readonly means: readonly BenchRow[];
  /** Everything else that was measured. */
  readonly rows: readonly BenchRow[];
}

/** Where it was measured. */
export interface BenchHost {
  readonly date: string;
  readonly node: string;
  readonly os: string;
  readonly cpu: string;
  readonly nCpus: number;
  /** `thread`: processor time of the thread; `wall`: the clock. */
  readonly clock: 'thread' | 'wall';
  /** Versions of the compilers of native code, by the column's name. */
  readonly compilers: Readonly<Record<string, string>>;
}

/** The columns, in the order of tables and charts. */
export const COLUMNS = ['reference', 'interp', 'wasm', 'limit', 'debug', 'kernel', 'clang', 'gcc'] as const;
export type Column = (typeof COLUMNS)[number];

/** One of the eight programs. */
export interface ProgramTimes {
  readonly name: string;
  readonly title: string;
  /** BPF instructions that one run executes. */
  readonly insns: number;
  readonly ns: Readonly<Partial<Record<Column, Spread>>>;
}

/** Time of one run: median, and what a tenth of the rounds was below or above. */
export interface Spread {
  readonly median: number;
  readonly p10: number;
  readonly p90: number;
  readonly rounds: number;
}

export type BenchUnit = 'ms' | 'µs' | 'ns' | 'million/s' | 'times' | 'events';

/** One measured thing. */
export interface BenchRow {
  readonly name: string;
  readonly unit: BenchUnit;
  readonly median: number;
  readonly p10: number;
  readonly p90: number;
  readonly runs: number;
  /** What was promised; undefined: nothing. */
  readonly target?: BenchTarget | undefined;
}

/** A limit: the median should stay below (`most`) or reach it (`least`). */
export interface BenchTarget {
  readonly most?: number;
  readonly least?: number;
}

/** Whether the row's median keeps its target; undefined where there is none. */
export function isMet({ median, target }: BenchRow): boolean | undefined {
  if (target === undefined) return undefined;
  return median <= (target.most ?? Number.POSITIVE_INFINITY) && median >= (target.least ?? 0);
}

/** `≤ 1.15 times` */
export function targetText(row: BenchRow): string {
  return row.target === undefined ? '' : `${limitText(row)} ${row.unit}`;
}

/** The same without the unit: `≤ 1.15` */
export function limitText({ target }: BenchRow): string {
  if (target === undefined) return '';
  return `${target.most === undefined ? '≥' : '≤'} ${numberText(target.most ?? target.least ?? 0)}`;
}

/** Three digits, or all in front of the point: `1.15`, `38.1`, `7602`. */
export function numberText(value: number): string {
  if (!Number.isFinite(value)) return '–';
  return value >= 100 || Number.isInteger(value) ? String(Math.round(value)) : value.toPrecision(3);
}
