import { ENGINE_NAMES } from '#core/session/engines.ts';
import { benchClock } from '../bench/clock.ts';
import { type EngineTimes, engineTimes, unusableEngines } from '../bench/engine-times.ts';
import { measuredHost } from '../bench/host.ts';
import { PROGRAM_KINDS } from '../bench/programs.ts';
import type { BenchLength } from '../bench/samples.ts';
import type { Spread } from '../bench/statistics.ts';
import { table } from '../bench/table.ts';
import type { Command } from '../command.ts';
import { UsageError } from '../failure.ts';

/** The simulated processor takes a second for a run of some of the programs. */
const WHOLE: BenchLength = { rounds: 7, sample: 20e6, warmUp: 200e6 };
const QUICK: BenchLength = { rounds: 1, sample: 0, warmUp: 0 };

const NAMES = PROGRAM_KINDS.map(({ name }) => name);

/** `bpf-workbench bench` */
export const benchCommand: Command = {
  spec: {
    name: 'bench',
    usage: ['[options]'],
    summary: 'Measure the engines side by side on eight C programs.',
    options: {
      prog: { value: 'NAME', multiple: true, text: `only this program: ${NAMES.join(', ')}` },
      engine: { value: 'ENGINE', multiple: true, text: `only this engine: ${ENGINE_NAMES.join(', ')}` },
      quick: { text: 'one run of each, to see that it works: times say little' },
      json: { text: 'one JSON object and nothing else' },
    },
    notes: [
      'Engines take turns in each round; a ratio is that of the times of one round. Shown are medians, and what a tenth of the rounds was below or above.',
      'Exit code 1 when an engine computes a wrong result.',
    ],
  },
  async run(args, io) {
    if (args.positionals.length > 0) throw new UsageError('bench: takes no FILE; its programs are built in');
    const programs = chosen('--prog', args.list('prog'), NAMES);
    const unusable = unusableEngines();
    const wanted = chosen('--engine', args.list('engine'), ENGINE_NAMES);
    const engines = wanted.filter((name) => !unusable.has(name));
    const missing = wanted.flatMap((name) => {
      const why = unusable.get(name);
      return why === undefined ? [] : [`${name}: ${why}`];
    });
    if (engines.length === 0) throw new UsageError(`bench: nothing can be measured; ${missing.join('; ')}`);
    const clock = benchClock();
    let times: EngineTimes;
    try {
      times = engineTimes({
        kinds: PROGRAM_KINDS.filter(({ name }) => programs.includes(name)),
        engines,
        clock,
        length: args.flag('quick') ? QUICK : WHOLE,
        progress: (title) => {
          if (io.stderrIsTerminal) io.err(`${title} …`);
        },
      });
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      io.err(`bpf-workbench: bench: ${error.message}`);
      return 1;
    }
    const host = measuredHost(clock);
    if (args.flag('json')) {
      await io.out(`${JSON.stringify({ host, missing, ...times })}\n`);
      return 0;
    }
    const measured =
      host.clock === 'thread' ? 'processor time of the thread' : 'the clock, so other work shows';
    await io.out(
      [
        `${host.cpu}, ${host.nCpus} CPUs, ${host.os}, Node ${host.node}; time: ${measured}`,
        '',
        timesTable(times),
        '',
        ratiosTable(times),
        ...missing.map((one) => `not measured: ${one}`),
        '',
      ].join('\n'),
    );
    return 0;
  },
};

/** The words that were given, or all of them, in the order of `words`; throws `UsageError` for another. */
function chosen<T extends string>(
  option: string,
  given: readonly string[],
  words: readonly T[],
): readonly T[] {
  const wrong = given.find((each) => !words.some((word) => word === each));
  if (wrong !== undefined) throw new UsageError(`${option} ${wrong}: must be ${words.join(', ')}`);
  return given.length === 0 ? words : words.filter((word) => given.includes(word));
}

function timesTable({ programs, means }: EngineTimes): string {
  return table([
    ['one run, ms', 'million insns', ...means.map(({ engine }) => engine)],
    ...programs.map(({ title, insns, engines }) => [
      title,
      digits(insns / 1e6),
      ...engines.map(({ ns }) => spreadText(ns, 1e-6)),
    ]),
  ]);
}

function ratiosTable({ base, programs, means }: EngineTimes): string {
  const others = means.filter(({ engine }) => engine !== base);
  return table([
    [`time ÷ ${base}`, ...others.map(({ engine }) => engine)],
    ...programs.map(({ title, engines }) => [
      title,
      ...engines.filter(({ engine }) => engine !== base).map(({ ratio }) => spreadText(ratio)),
    ]),
    ['geometric mean', ...others.map(({ ratio }) => spreadText(ratio))],
  ]);
}

/** The median, with the spread where there is one: `1.15 (1.10 … 1.21)`. */
function spreadText({ median, p10, p90, rounds }: Spread, factor = 1): string {
  const text = digits(median * factor);
  return rounds === 1 ? text : `${text} (${digits(p10 * factor)} … ${digits(p90 * factor)})`;
}

/** Three digits, or all in front of the point. */
function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
