import type { Clock } from '#cli/bench/clock.ts';
import { preparedRun } from '#cli/bench/prepared-run.ts';
import { PROGRAM_KINDS, type ProgramKind, storedProgram } from '#cli/bench/programs.ts';
import { type BenchLength, samplesInTurns, type TimedRun, timedBy } from '#cli/bench/samples.ts';
import { geometricMean, spread } from '#cli/bench/statistics.ts';
import { reference } from '#core/interp/reference.ts';
import { interp } from '#core/interp-wasm/interp.ts';
import { wasm, wasmEngine } from '#core/jit/wasm/engine.ts';
import type { KernelBridge } from '#core/platform/node/kernel/bridge.ts';
import type { BenchRow, Column, ProgramTimes } from '../../scripts/lib/bench-results.ts';
import { kernelRun } from './kernel-run.ts';
import type { NativeRun } from './native-run.ts';
import { benchRow } from './report.ts';

/** What the programs are run with. */
export interface ProgramTools {
  readonly clock: Clock;
  readonly kernel: KernelBridge | undefined;
  readonly clang: NativeRun | undefined;
  readonly gcc: NativeRun | undefined;
}

/** Samples of one program: nanoseconds of one run by column and round. */
export interface ProgramSamples {
  readonly times: ProgramTimes;
  readonly samples: ReadonlyMap<Column, readonly number[]>;
}

/** What was promised, as ratios of times, by geometric means over the programs that both can run. */
const RATIOS: readonly (readonly [
  over: Column,
  under: Column,
  target?: { readonly most?: number; readonly least?: number },
])[] = [
  ['wasm', 'kernel', { most: 1.15 }],
  ['wasm', 'clang', { most: 1.5 }],
  ['wasm', 'gcc'],
  ['limit', 'wasm'],
  ['debug', 'wasm', { most: 1.6 }],
  ['reference', 'interp', { least: 3 }],
  ['interp', 'wasm'],
  ['kernel', 'clang'],
];

/** Nanoseconds that native code takes for an instruction of the 64-bit loop where the rate below was promised. */
const PROMISED_NS = 0.12;
const PROMISED_RATE = 550;

/** Measures all programs, one after the other; in each, all columns take turns. */
export function programSamples(tools: ProgramTools, length: BenchLength): ProgramSamples[] {
  return PROGRAM_KINDS.map((kind) => samplesOf(kind, tools, length));
}

function samplesOf(kind: ProgramKind, tools: ProgramTools, length: BenchLength): ProgramSamples {
  const timed = (run: (times: number) => number): TimedRun => timedBy(tools.clock, run);
  const attr = storedProgram(kind.name);
  const runs = new Map<Column, TimedRun>();
  const first = preparedRun(attr, reference);
  runs.set('reference', timed(first.run));
  runs.set('interp', timed(preparedRun(attr, interp).run));
  runs.set('wasm', timed(preparedRun(attr, wasm).run));
  runs.set('limit', timed(preparedRun(attr, wasmEngine({ checks: 'limit' })).run));
  runs.set('debug', timed(preparedRun(attr, wasm, { breakpoints: true }).run));
  if (tools.kernel !== undefined && kind.inKernel) runs.set('kernel', timed(kernelRun(tools.kernel, attr)));
  for (const column of ['clang', 'gcc'] as const) {
    const native = tools[column];
    if (native !== undefined) runs.set(column, (times) => native.run(kind.name, times));
  }
  const samples = samplesInTurns(kind, runs, length);
  const ns = Object.fromEntries([...samples].map(([column, its]) => [column, spread(its)]));
  return { times: { name: kind.name, title: kind.title, insns: first.insns(), ns }, samples };
}

/** Ratios over all programs, and rates that were promised. */
export function programMeans(all: readonly ProgramSamples[]): BenchRow[] {
  const rows = RATIOS.flatMap(([over, under, target]) => {
    const both = all.filter(({ samples }) => samples.has(over) && samples.has(under));
    if (both.length === 0) return [];
    const of = both.length === all.length ? 'all' : both.length;
    return [
      benchRow(`time of ${over} ÷ ${under}, ${of} programs`, 'times', meanRatios(both, over, under), target),
    ];
  });
  const rounds = all[0]?.samples.get('interp')?.length ?? 0;
  const rates = Array.from({ length: rounds }, (_, round) =>
    geometricMean(all.map(({ times, samples }) => (times.insns / at(samples, 'interp', round)) * 1000)),
  );
  const native = nativeNs(all);
  const least =
    native === undefined ? undefined : { least: Math.round((PROMISED_RATE * PROMISED_NS) / native) };
  rows.push(benchRow('interp, instructions', 'million/s', rates, least));
  if (native !== undefined)
    rows.push(benchRow('native code, one BPF instruction of the 64-bit loop', 'ns', [native]));
  return rows;
}

/** Of each round the geometric mean over the programs. */
function meanRatios(all: readonly ProgramSamples[], over: Column, under: Column): number[] {
  const rounds = all[0]?.samples.get(over)?.length ?? 0;
  return Array.from({ length: rounds }, (_, round) =>
    geometricMean(all.map(({ samples }) => at(samples, over, round) / at(samples, under, round))),
  );
}

function at(samples: ProgramSamples['samples'], column: Column, round: number): number {
  return samples.get(column)?.[round] ?? Number.NaN;
}

function nativeNs(all: readonly ProgramSamples[]): number | undefined {
  const loop = all.find(({ times }) => times.name === 'alu64')?.times;
  const median = loop?.ns.clang?.median;
  return loop === undefined || median === undefined ? undefined : median / loop.insns;
}
