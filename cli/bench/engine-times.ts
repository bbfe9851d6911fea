import type { EngineName } from '#core/interp/engine.ts';
import { interpreterProblem } from '#core/interp-wasm/modules.ts';
import { ENGINES } from '#core/session/engines.ts';
import type { Clock } from './clock.ts';
import { preparedRun } from './prepared-run.ts';
import { type ProgramKind, storedProgram } from './programs.ts';
import { type BenchLength, samplesInTurns, type TimedRun, timedBy } from './samples.ts';
import { geometricMean, type Spread, spread } from './statistics.ts';

/** What an engine took for a program, or for all of them. */
export interface EngineTime {
  readonly engine: EngineName;
  /** Nanoseconds of one run. */
  readonly ns: Spread;
  /** Times as long as the engine that all are compared with. */
  readonly ratio: Spread;
}

/** A program of the benchmarks on every engine. */
export interface ProgramTimes {
  readonly name: string;
  readonly title: string;
  /** BPF instructions that one run executes. */
  readonly insns: number;
  readonly engines: readonly EngineTime[];
}

/** Every program on every engine. */
export interface EngineTimes {
  /** The engine that the others are compared with. */
  readonly base: EngineName;
  readonly programs: readonly ProgramTimes[];
  /** Of each round the geometric mean over the programs. */
  readonly means: readonly Omit<EngineTime, 'ns'>[];
}

/** What is measured, and how. */
export interface EngineTimesInput {
  readonly kinds: readonly ProgramKind[];
  readonly engines: readonly EngineName[];
  readonly clock: Clock;
  readonly length: BenchLength;
  /** Told which program begins. */
  readonly progress: (title: string) => void;
}

/** Why engines of this host cannot execute anything, by name. */
export function unusableEngines(): ReadonlyMap<EngineName, string> {
  const why = interpreterProblem();
  return new Map(why === undefined ? [] : [['interp', why] as const, ['wasm', why] as const]);
}

/** Measures the programs one after the other; in each, all engines take turns. Throws Error for a wrong result. */
export function engineTimes(input: EngineTimesInput): EngineTimes {
  const { engines, kinds, clock, length, progress } = input;
  const base = engines.find((name) => name === 'wasm') ?? engines[0] ?? 'reference';
  const rounds = Array.from({ length: length.rounds }, (_, round) => round);
  const ratios = new Map<EngineName, number[][]>(engines.map((name) => [name, []]));
  const programs = kinds.map((kind): ProgramTimes => {
    progress(kind.title);
    const attr = storedProgram(kind.name);
    const prepared = ENGINES.filter(({ name }) => engines.includes(name)).map((engine) => ({
      name: engine.name,
      run: preparedRun(attr, engine),
    }));
    const runs = new Map<EngineName, TimedRun>(
      prepared.map(({ name, run }) => [name, timedBy(clock, (times) => run.run(times))]),
    );
    const samples = samplesInTurns(kind, runs, length);
    const times = [...samples].map(([engine, ns]): EngineTime => {
      const ratio = rounds.map(
        (round) => (ns[round] ?? Number.NaN) / (samples.get(base)?.[round] ?? Number.NaN),
      );
      ratios.get(engine)?.push(ratio);
      return { engine, ns: spread(ns), ratio: spread(ratio) };
    });
    return { name: kind.name, title: kind.title, insns: prepared[0]?.run.insns() ?? 0, engines: times };
  });
  const means = [...ratios].map(([engine, its]) => ({
    engine,
    ratio: spread(rounds.map((round) => geometricMean(its.map((of) => of[round] ?? Number.NaN)))),
  }));
  return { base, programs, means };
}
