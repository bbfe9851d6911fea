import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ENGINE_NAMES } from '#core/session/engines.ts';
import type { BreakpointRequest, RunCommand } from '#core/session/target-rows.ts';
import { Bench } from './harness.ts';

const SEED = Number(process.env.FUZZ_SEED ?? 0x5709);
const N = Number(process.env.FUZZ_PROGRAMS ?? 120);
const STOPS = 12;

/** One statement a line. `#n` is a label of the function, `@n` a function; `program` a tail call to the other program. */
const statements = fc.oneof(
  {
    arbitrary: fc
      .tuple(fc.nat(4), fc.constantFrom('+=', '-=', '*=', '/=', '^=', '<<='), fc.integer({ min: 1, max: 9 }))
      .map(([reg, op, n]) => `r${[0, 6, 7, 8, 9][reg]} ${op} ${n}`),
    weight: 4,
  },
  {
    arbitrary: fc
      .tuple(fc.nat(4), fc.constantFrom('+=', '/=', '%=', '>>=', '='), fc.nat(4))
      .map(([a, op, b]) => `r${[0, 6, 7, 8, 9][a]} ${op} r${[0, 6, 7, 8, 9][b]}`),
    weight: 3,
  },
  {
    arbitrary: fc.constantFrom('*(u64 *)(r10 - 8) = r6', '*(u32 *)(r10 - 4) = 7', 'r7 = *(u64 *)(r10 - 8)'),
    weight: 2,
  },
  {
    arbitrary: fc
      .tuple(fc.constantFrom('<', '>', 's<', '!=', '&'), fc.integer({ min: 0, max: 40 }), fc.nat(9))
      .map(([op, n, label]) => `if r6 ${op} ${n} goto #${label}`),
    weight: 3,
  },
  { arbitrary: fc.nat(9).map((label) => `goto #${label}`), weight: 1 },
  { arbitrary: fc.nat(3).map((callee) => `call @${callee}`), weight: 2 },
  { arbitrary: fc.constant('tail'), weight: 1 },
);

const FUNCTIONS = ['f0', 'f1', 'f2'];

/** The text of two programs, with the functions of the one; how many lines it has. */
function textOf(bodies: readonly (readonly string[])[]): { readonly text: string; readonly lines: number } {
  const lines = ['.map jmp, prog_array, 4, 4, 2', '.map_entry jmp, 0, first', '.map_entry jmp, 1, other'];
  const write = (name: string, body: readonly string[], callees: readonly string[]): void => {
    lines.push(`${name}:`);
    for (const [i, statement] of [...body, 'exit'].entries()) {
      lines.push(`${name}_${i}:`);
      // the context is gone when the function has begun anew: the same fault everywhere
      if (statement === 'tail') lines.push('r2 = jmp ll', 'r3 = r6', 'r3 &= 1', 'call bpf_tail_call');
      else {
        const label = (n: string): string => `${name}_${Number(n) % (body.length + 1)}`;
        const callee = (n: string): string => callees[Number(n) % callees.length] ?? name;
        lines.push(statement.replace(/#(\d)/, (_, n) => label(n)).replace(/@(\d)/, (_, n) => callee(n)));
      }
    }
  };
  const begin = (name: string): number =>
    lines.push('.section xdp,"ax"', `.globl ${name}`, `.type ${name}, @function`);
  const [first = [], other = [], ...rest] = bodies;
  begin('first');
  write(
    'first',
    ['r0 = 0', 'r6 = 20', 'r7 = 3', 'r8 = 1', 'r9 = 2', '*(u64 *)(r10 - 8) = r6', ...first],
    FUNCTIONS,
  );
  for (const [i, name] of FUNCTIONS.entries()) {
    lines.push(`.type ${name}, @function`);
    write(name, ['r6 += -1', 'r0 = r6', ...(rest[i] ?? [])], FUNCTIONS);
  }
  lines.push('.size first, .-first');
  begin('other');
  write('other', ['r6 += -3', ...other.filter((one) => !one.startsWith('call'))], ['other']);
  lines.push('.size other, .-other');
  return { text: `${lines.join('\n')}\n`, lines: lines.length };
}

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

test(`random programs and breakpoints: every engine stops at the same places in the same state (seed ${SEED})`, () => {
  const kinds = new Map<string, number>();
  const bodies = fc.array(fc.array(statements, { minLength: 1, maxLength: 7 }), {
    minLength: 5,
    maxLength: 5,
  });
  const run = fc.array(commands, { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(bodies, breakpoints, run, (parts, where, steps) => {
      const { text } = textOf(parts);
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
  expect(kinds.get('breakpoint')).toBeGreaterThan(N);
  expect(kinds.get('step')).toBeGreaterThan(N / 2);
}, 240_000);
