import type { Clock } from './clock.ts';
import type { ProgramKind } from './programs.ts';

/** How long it may take. */
export interface BenchLength {
  /** Times that everything is measured. */
  readonly rounds: number;
  /** Nanoseconds that a sample should take at least, by as many runs as that needs. */
  readonly sample: number;
  /** Nanoseconds to run before the first sample: the host compiles what is hot. */
  readonly warmUp: number;
}

/** Runs something some times and tells the result of the last, and the nanoseconds of all. */
export type TimedRun = (times: number) => { readonly result: number; readonly ns: number };

/** A run, measured by `clock`. */
export function timedBy(clock: Clock, run: (times: number) => number): TimedRun {
  return (times) => {
    const began = clock.now();
    const result = run(times);
    return { result, ns: clock.now() - began };
  };
}

/**
 * Nanoseconds of one run of a program by column and round. Within a round all columns take turns, so that a slow moment
 * of the machine meets all of them. Throws Error for a wrong result.
 */
export function samplesInTurns<C extends string>(
  kind: ProgramKind,
  runs: ReadonlyMap<C, TimedRun>,
  length: BenchLength,
): ReadonlyMap<C, readonly number[]> {
  const times = new Map([...runs].map(([column, run]) => [column, timesFor(run, length, kind)]));
  const samples = new Map<C, number[]>([...runs.keys()].map((column) => [column, []]));
  for (let round = 0; round < length.rounds; round++) {
    for (const [column, run] of runs) {
      const n = times.get(column) ?? 1;
      samples.get(column)?.push(run(n).ns / n);
    }
  }
  return samples;
}

/** Runs it until hosts have compiled what is hot; how many runs make a sample. Throws Error for a wrong result. */
function timesFor(run: TimedRun, { sample, warmUp }: BenchLength, { name, result }: ProgramKind): number {
  let times = 1;
  for (let spent = 0; ; ) {
    const { result: its, ns } = run(times);
    if (its !== result) throw new Error(`${name}: the result is ${its}, not ${result}`);
    spent += ns;
    if (ns >= sample || times >= 1 << 16) {
      if (spent >= warmUp) return Math.max(1, Math.round((times * sample) / Math.max(ns, 1)));
    } else times *= 2;
  }
}
