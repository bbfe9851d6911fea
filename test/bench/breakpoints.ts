import type { Clock } from '#cli/bench/clock.ts';
import { Session } from '#core/session/session.ts';
import type { BreakpointRequest } from '#core/session/target-rows.ts';
import type { BenchRow } from '../../scripts/lib/bench-results.ts';
import { benchRow } from './report.ts';

const FILE = '/bench/loop.bpf.s';
/** Instructions of a slice; a debugger's become as long after a few. */
const SLICE = 50_000_000;
/** What was promised: milliseconds for 10⁶ times, and the ratio to the run without a breakpoint. */
const MOST_MS = 1000;
const MOST_RATIO = 1.2;
/** Instructions of a round of the loop, and the lines in it that matter. */
const ROUND = 5;
const LINE_BEFORE = 4;
const LINE_INSIDE = 6;

const loop = (rounds: number): string => `.program raw
main:
	r6 = ${rounds}
	r0 = 0
again:
	r0 += 3
	r1 = r0
	r1 ^= r6
	r6 += -1
	if r6 != 0 goto again
	exit
`;

/** What breakpoints cost a session: a condition that is false `hits` times; one hit once, then `insns` instructions. */
export function breakpointCosts(clock: Clock, rounds: number, hits: number, insns: number): BenchRow[] {
  const engines = ['reference', 'interp', 'wasm', 'x86-64'] as const;
  const condition: BreakpointRequest = { line: LINE_INSIDE, condition: 'r0 == 1 && r6 > 5' };
  return [
    ...engines.map((engine) => {
      const samples = timed(rounds, () => run(clock, engine, hits, [condition]) / 1e6);
      const scale = 1_000_000 / hits;
      const name = `a condition that is false 10⁶ times: ${engine}`;
      return benchRow(
        name,
        'ms',
        samples.map((ms) => ms * scale),
        MOST_MS,
      );
    }),
    ...(['interp', 'wasm'] as const).map((engine) => {
      const loops = Math.ceil(insns / ROUND);
      const samples = timed(rounds, () => {
        const without = run(clock, engine, loops, []);
        return run(clock, engine, loops, [{ line: LINE_BEFORE }]) / without;
      });
      const name = `a breakpoint hit once, then ${insns.toExponential()} instructions, to none: ${engine}`;
      return benchRow(name, 'times', samples, { most: MOST_RATIO });
    }),
  ];
}

/** The first run is for the host, which compiles what is hot. */
function timed(rounds: number, sample: () => number): number[] {
  return Array.from({ length: rounds + 1 }, sample).slice(1);
}

/** Nanoseconds from the start of a session to its end; it goes on from each stop at once. */
function run(
  clock: Clock,
  engine: string,
  rounds: number,
  breakpoints: readonly BreakpointRequest[],
): number {
  let isOver = false;
  const session = new Session({
    sharedMemory: true,
    emit: ({ kind }) => {
      isOver ||= kind === 'ended';
    },
  });
  const source = new TextEncoder().encode(loop(rounds));
  const loaded = session.request('load', { fileName: FILE, source, engine });
  if (!loaded.ok) throw new Error(loaded.problem.message);
  session.request('setBreakpoints', { file: FILE, breakpoints });
  const began = clock.now();
  session.request('start', { stopOnEntry: false, debug: true });
  for (;;) {
    while (session.isRunning) session.runSlice(SLICE);
    if (isOver) return clock.now() - began;
    session.request('resume', { kind: 'continue' });
  }
}
