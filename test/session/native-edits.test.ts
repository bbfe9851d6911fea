import { describe, expect, test } from 'vitest';
import { addressText } from '#core/session/code-address.ts';
import { Bench } from './harness.ts';

const TEXT = `.program raw
main:
	r6 = 1000
	call three
	r0 += r6
	exit
three:
	r7 = 2
	r0 = 3
	exit
`;

/** Text of the native instruction that is executed next. */
function insnAt(bench: Bench): string {
  const reference = addressText(bench.session.request('frames', null)[0]?.address ?? 0n);
  const args = { reference, offset: 0, instructionOffset: 0, count: 1, symbols: true };
  const reply = bench.session.request('disassemble', args);
  return 'rows' in reply ? (reply.rows[0]?.text.trim() ?? '') : reply.message;
}

/** Stands in `line` before a native instruction that is like `text`. */
function standing(engine: string, line: number, text: RegExp, args: object = {}): Bench {
  const bench = Bench.load(TEXT, { engine, ...args });
  bench.breakpoints({ line });
  bench.start();
  for (let i = 0; i < 50 && !text.test(insnAt(bench)); i++)
    bench.resume({ kind: 'in', granularity: 'native' });
  expect(insnAt(bench)).toMatch(text);
  bench.breakpoints();
  return bench;
}

const assign = (bench: Bench, target: string, value: string) =>
  bench.session.request('assign', { target, value, frame: 0 });

describe('registers that are edited where native steps stand', () => {
  test.each([
    ['x86-64', /^leave/],
    ['x86-64', /^jmp .*thunk/],
    ['wasm', /^i32\.const/],
    ['wasm', /^return/],
  ])('%s, amid the exit of a function, at %s: R0 is what the caller gets', (engine, text) => {
    const bench = standing(engine, 10, text);
    assign(bench, 'r0', '7');
    expect(bench.value('r0')).toBe('0x7');
    expect([bench.to('over'), bench.value('r0'), bench.value('r6')]).toEqual([
      'main:5',
      '0x7',
      '0x3e8 (1000)',
    ]);
    expect(bench.to('continue')).toBe('end');
    expect(bench.output()).toContain('r0 = 0x3ef');
  });

  test.each([
    ['x86-64', 3, /^mov ebx/, '$rbx', '$rbp'],
    ['x86-64', 3, /^push rbx/, '$rbx', '$rbp'],
    ['wasm', 5, /^i64\.add/, '$r6', '$r0'],
  ])('%s, in line %i at %s: native code has the new value at once', (engine, line, text, name, other) => {
    const bench = standing(engine, line, text);
    const before = bench.value(other);
    assign(bench, 'r6', '0x77');
    expect([bench.value(name), bench.value(other)]).toEqual(['0x77 (119)', before]);
    const rows = bench.session.request('children', { of: { kind: 'native' }, start: 0, count: 100 });
    const row = rows.find(({ evaluateName }) => evaluateName === name);
    expect(row?.value).toMatch(/^0x77 \(119\)/);
    bench.to('over');
    expect([bench.value('r6'), bench.value('r0')]).toEqual(
      line === 3 ? ['0x3e8 (1000)', '0x0'] : ['0x77 (119)', '0x7a (122)'],
    );
  });

  test.each([
    ['over', 'line'],
    ['over', 'instruction'],
    ['in', 'native'],
  ] as const)(
    'in lockstep amid an instruction, a step %s by %s: comparing ends, and no difference is told',
    (kind, granularity) => {
      const bench = standing('x86-64', 3, /^push rbp/, { lockstep: 'reference' });
      assign(bench, 'r6', '5');
      bench.resume({ kind, granularity });
      expect(bench.to('continue')).toBe('end');
      expect(bench.output('stderr')).toBe(
        'lockstep: x86-64 and reference are not compared any more: something was changed amid an instruction\n',
      );
    },
  );
});

test.each([
  ['reference', 'line'],
  ['interp', 'instruction'],
  ['wasm', 'native'],
  ['x86-64', 'native'],
] as const)(
  '%s, steps by %s: where the limit of instructions is reached, no breakpoint is',
  (engine, granularity) => {
    const printed = [0, 20].map((steps) => {
      const bench = Bench.load(TEXT, { engine, maxInsns: 5 });
      bench.breakpoints(...[3, 4, 5, 8, 9, 10].map((line) => ({ line, logMessage: `line ${line}` })));
      let report = bench.start({ stopOnEntry: true });
      for (let i = 0; i < steps && report?.fault === undefined; i++) {
        report = bench.resume({ kind: 'in', granularity });
      }
      while (report !== undefined) report = bench.resume({ kind: 'continue' });
      return bench.output();
    });
    expect(printed[0]).toMatch(/line 10\npacket 1\/1: fault .*:5:2: the limit of 5 instructions/);
    expect(printed[1]).toBe(printed[0]);
  },
);
