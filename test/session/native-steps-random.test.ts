import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RunCommand } from '#core/session/target-rows.ts';
import { Bench } from './harness.ts';
import { bodies, textOf } from './random-text.ts';

const SEED = Number(process.env.FUZZ_SEED ?? 0x57e9);
const N = Number(process.env.FUZZ_PROGRAMS ?? 40);
const MOST_STEPS = 400;

const commands: fc.Arbitrary<RunCommand> = fc.oneof(
  {
    arbitrary: fc.record({
      kind: fc.constantFrom('in', 'in', 'over'),
      granularity: fc.constant('native' as const),
    }),
    weight: 48,
  },
  {
    arbitrary: fc.record({
      kind: fc.constantFrom('in', 'over'),
      granularity: fc.constantFrom('line', 'instruction'),
    }),
    weight: 8,
  },
  { arbitrary: fc.constant<RunCommand>({ kind: 'out' }), weight: 1 },
);

/** All that a session prints, with a log point on each line that has some instruction. */
function printed(engine: string, text: string, lines: number, run: readonly RunCommand[]): string {
  const bench = Bench.load(text, { engine, prog: 'first', maxInsns: 2000 });
  const places = bench.session.request('breakpointLocations', {
    file: '/work/program.bpf.s',
    line: 1,
    endLine: lines,
  });
  const all = [...new Set(places.map(({ line }) => line))];
  bench.breakpoints(...all.map((line) => ({ line, logMessage: `${line}: {r6} {r7}` })));
  let report = bench.start({ stopOnEntry: true });
  for (let i = 0; report !== undefined && i < MOST_STEPS && run.length > 0; i++) {
    report = bench.resume(run[i % run.length] ?? { kind: 'continue' });
  }
  while (report !== undefined) report = bench.resume({ kind: 'continue' });
  return bench.output();
}

/**
 * `got` without what is printed too much where a fault or the limit ends the run: of all lines that have the address which
 * was reached.
 */
function upTo(wanted: string, got: string): string {
  const end = wanted.lastIndexOf('packet 1/1: fault');
  if (end < 0) return got;
  const more = got.slice(end, got.lastIndexOf('packet 1/1: fault'));
  const isShared = /^(\d+: \S+ \S+\n){1,3}$/.test(more);
  return isShared ? got.slice(0, end) + got.slice(end + more.length) : got;
}

test(`random programs, native steps among others: each line is come by as often as when they run (seed ${SEED})`, () => {
  let length = 0;
  fc.assert(
    fc.property(bodies, fc.array(commands, { minLength: 1, maxLength: 40 }), (parts, run) => {
      const { text, lines } = textOf(parts);
      const wanted = printed('reference', text, lines, []);
      length += wanted.length;
      for (const engine of ['wasm', 'x86-64']) {
        expect(upTo(wanted, printed(engine, text, lines, run)), `${engine}\n${text}`).toBe(wanted);
      }
    }),
    { seed: SEED, numRuns: N },
  );
  expect(length).toBeGreaterThan(200 * N);
}, 240_000);
