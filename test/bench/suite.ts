import { benchClock } from '#cli/bench/clock.ts';
import { measuredHost } from '#cli/bench/host.ts';
import type { BenchLength } from '#cli/bench/samples.ts';
import type { BenchResults, BenchRow } from '../../scripts/lib/bench-results.ts';
import { breakpointCosts } from './breakpoints.ts';
import { compileTimes } from './compile-time.ts';
import { withAdapter } from './debug-client.ts';
import { debugLatency } from './debug-latency.ts';
import { HELP, OPTIONS } from './help.ts';
import { helperCalls } from './helper-calls.ts';
import { benchKernel } from './kernel-run.ts';
import { largeProgram } from './large-program.ts';
import { largeSession } from './large-session.ts';
import { nativeRun } from './native-run.ts';
import { pauseLatency } from './pause-latency.ts';
import { programMeans, programSamples } from './program-times.ts';
import { benchText } from './report.ts';
import { textTools } from './text-tools.ts';

const CLANGS = ['clang-19', 'clang-18', 'clang-17', 'clang-16', 'clang-15', 'clang'];

/** How much is measured: all of it, or the least of each, to see that it works. */
export interface SuiteOptions {
  readonly quick?: boolean;
  /** Told what begins. */
  readonly progress?: (what: string) => void;
}

const WHOLE: BenchLength = { rounds: 11, sample: 20e6, warmUp: 400e6 };
const QUICK: BenchLength = { rounds: 1, sample: 0, warmUp: 0 };

/** Runs every benchmark; tools that are not on this machine are named in the results. */
export async function runSuite({ quick = false, progress = () => {} }: SuiteOptions): Promise<BenchResults> {
  const length = quick ? QUICK : WHOLE;
  const { rounds } = length;
  const clock = benchClock();
  const missing: string[] = [];
  const found = <T>(tool: T | undefined, why: string): T | undefined => {
    if (tool === undefined) missing.push(why);
    return tool;
  };
  const asked = benchKernel();
  const kernel = 'message' in asked ? undefined : asked;
  if ('message' in asked) missing.push(`the kernel's JIT: ${asked.message}`);
  const clang = found(nativeRun(CLANGS), 'native code of clang: it is not installed');
  const gcc = found(nativeRun(['gcc']), 'native code of gcc: it is not installed');
  try {
    // First: as in a worker that loads its first program; behind the runs below the host's code for them is a more general one.
    progress('compile times');
    const compile = compileTimes(clock, {
      rounds,
      warmUp: quick ? 0 : 25,
      large: quick ? 1000 : 20_000,
      repeat: quick ? 1 : 40,
    });
    progress('the eight programs');
    const samples = programSamples({ clock, kernel, clang, gcc }, length);
    progress('helper calls');
    const helpers = helperCalls(clock, rounds, quick ? 100 : 20_000);
    progress('assembler and disassembler');
    const text = textTools(rounds, quick ? 1 : undefined);
    progress('large programs');
    const large = largeProgram(quick ? 2000 : 400_000, quick ? 1 : 3);
    progress('breakpoints');
    const breakpoints = breakpointCosts(
      clock,
      quick ? 1 : 3,
      quick ? 1000 : 1_000_000,
      quick ? 100_000 : 1e9,
    );
    progress('the debug adapter');
    const debug = await debugRows(quick, progress);
    return {
      host: {
        ...measuredHost(clock),
        compilers: { ...(clang && { clang: clang.version }), ...(gcc && { gcc: gcc.version }) },
      },
      missing: [...missing, ...text.missing],
      programs: samples.map(({ times }) => times),
      means: programMeans(samples),
      rows: [...compile, ...helpers, ...text.rows, ...large, ...breakpoints, ...debug],
    };
  } finally {
    kernel?.dispose();
    clang?.dispose();
    gcc?.dispose();
  }
}

/** What is measured through the debug adapter. */
function debugRows(quick: boolean, progress: (what: string) => void): Promise<BenchRow[]> {
  return withAdapter(async (adapter) => {
    const latency = quick
      ? { launches: 1, steps: 2, large: 500 }
      : { launches: 7, steps: 100, large: 20_000 };
    const pause = quick
      ? { times: 1, large: 100, launches: 1, longest: 10 }
      : { times: 20, large: 45_000, launches: 2, longest: 1000 };
    const large = quick
      ? { insns: 2000, sessions: 1, times: 1, cancelAfter: 0 }
      : { insns: 400_000, sessions: 2, times: 5, cancelAfter: 700 };
    const rows = await debugLatency(adapter, latency);
    progress('pauses');
    rows.push(...(await pauseLatency(adapter, pause)));
    progress('sessions of a large program');
    return [...rows, ...(await largeSession(adapter, large))];
  });
}

/**
 * Prints tables, or with `--json` one object and nothing else; `--quick`: the least of each; `--help`: what there is.
 * `keep` gets what was measured, too.
 */
export async function main(
  args: readonly string[],
  keep: (results: BenchResults) => void = () => {},
): Promise<number> {
  const unknown = args.find((arg) => !OPTIONS.some((option) => option === arg));
  if (unknown !== undefined) {
    console.error(`npm run bench: the option ${unknown} is not known; -- --help tells which are`);
    return 2;
  }
  if (args.includes('--help')) {
    process.stdout.write(HELP);
    return 0;
  }
  const json = args.includes('--json');
  const progress = (what: string): void => {
    if (process.stderr.isTTY) process.stderr.write(`${what} …\n`);
  };
  const results = await runSuite({ quick: args.includes('--quick'), progress });
  keep(results);
  console.log(json ? JSON.stringify(results, undefined, 1) : benchText(results));
  return 0;
}
