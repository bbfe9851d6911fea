import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ENGINE_NAMES } from '#core/session/engines.ts';
import type { BreakpointRequest, RunCommand } from '#core/session/target-rows.ts';
import { Bench } from './harness.ts';
import { bodies, textOf } from './random-text.ts';

const SEED = Number(process.env.FUZZ_SEED ?? 0x5709);
const N = Number(process.env.FUZZ_PROGRAMS ?? 120);
const STOPS = 12;

const commands: fc.Arbitrary<RunCommand> = fc.oneof(
  { arbitrary: fc.constant<RunCommand>({ kind: 'continue' }), weight: 4 },
  { arbitrary: fc.constant<RunCommand>({ kind: 'out' }), weight: 1 },
  {
    arbitrary: fc.record({
      kind: fc.constantFrom('in', 'over'),
      granularity: fc.constantFrom('line', 'instruction'),
    }),
    weight: 3,
  },
);

const breakpoints = fc.array(
  fc.record(
    {
      line: fc.integer({ min: 4, max: 70 }),
      condition: fc.constantFrom('r6 > 5', 'r0 & 1', '*(u8 *)(r10 - 8) != 3', 'r8 / r7 == 0'),
      hitCondition: fc.constantFrom('2', '% 2', '> 1'),
    },
    { requiredKeys: ['line'] },
  ),
  { minLength: 1, maxLength: 6 },
);

function sessionOf(
  engine: string,
  text: string,
  where: readonly BreakpointRequest[],
  run: readonly RunCommand[],
): string[] {
  const bench = Bench.load(text, { engine, prog: 'first', maxInsns: 3000 });
  bench.breakpoints(...where);
  expect(bench.session.request('stats', null).engine).toBe(engine);
  const seen: string[] = [];
  for (let next = 0, report = bench.start(); report !== undefined && next < STOPS; next++) {
    const registers = bench.session.request('registers', { frame: 0 }).registers.slice(0, 11);
    const { reason, breakpoints: ids, description } = report;
    seen.push(
      `${reason} ${ids.join()} ${description ?? ''} at ${bench.where()}: ${registers.map(({ value }) => value).join(' ')}`,
    );
    report = bench.resume(run[next % run.length] ?? { kind: 'continue' });
  }
  return [...seen, bench.output()];
}

/**
 * The text without lines that have no machine code: their breakpoints are those of the address, and stop at the first line
 * that has it.
 */
function withCode(text: string): string {
  return text.replace(/^r(\d) = r\1$/gm, 'r$1 += 0').replace(/^goto (\w+)\n(?=\1:)/gm, 'r0 += 0\n');
}

test('a line without machine code shares its breakpoint: it is counted once each time that the address is reached', () => {
  const text = `.section xdp,"ax"
main:
	r0 = 0
	r6 = 3
again:	r8 = 1
	r8 = r8
	r0 += r0
	r6 -= 1
	if r6 != 0 goto again
	exit
`;
  const bench = Bench.load(text, { engine: 'x86-64' });
  bench.breakpoints({ line: 7 }, { line: 5 });
  const stops: string[] = [];
  const step: RunCommand = { kind: 'over', granularity: 'line' };
  for (let report = bench.start(); report !== undefined; ) {
    stops.push(`${report.reason} ${bench.where()}`);
    report = bench.resume(stops.length % 2 ? step : { kind: 'continue' });
  }
  // Line 6 has the address of line 7: not a second time there.
  expect(stops).toEqual([
    ...['breakpoint main:5', 'breakpoint main:6'],
    ...['breakpoint main:5', 'breakpoint main:6'],
    ...['breakpoint main:5', 'breakpoint main:6'],
  ]);
});

test(`random programs and breakpoints: every engine stops at the same places in the same state (seed ${SEED})`, () => {
  const kinds = new Map<string, number>();
  const run = fc.array(commands, { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(bodies, breakpoints, run, (parts, where, steps) => {
      const text = withCode(textOf(parts).text);
      const [first, ...others] = ENGINE_NAMES.map((engine) => sessionOf(engine, text, where, steps));
      for (const [i, other] of others.entries())
        expect(other, `${ENGINE_NAMES[i + 1]}\n${text}`).toEqual(first);
      for (const one of first ?? []) {
        const kind = one.slice(0, one.indexOf(' '));
        kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
      }
    }),
    { seed: SEED, numRuns: N },
  );
  console.log('stops:', Object.fromEntries(kinds));
  // One program may have twelve stops and many none, so that their number varies much from seed to seed.
  expect(kinds.get('breakpoint')).toBeGreaterThan(N / 8);
  expect(kinds.get('step')).toBeGreaterThan(N / 8);
}, 240_000);
