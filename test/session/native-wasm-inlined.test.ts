import { describe, expect, test } from 'vitest';
import { Bench } from './harness.ts';
import { address, insnAt, nativeRows, step, stepTo } from './native-bench.ts';

/** `double` is written where it is called (core/jit/wasm/inlining.ts). */
const TEXT = `.program raw
main:
	r6 = 5
	r1 = r6
	call double
	r7 = r0
	r0 += r7
	exit
double:
	r0 = r1
	r0 += r1
	exit
`;

const load = (args: object = {}): Bench => Bench.load(TEXT, { engine: 'wasm', ...args });
const insns = (bench: Bench): number => Number(bench.session.request('stats', null).insns);

describe('a function that is written where it is called', () => {
  test('is stepped through amid the call, which is over behind it', () => {
    const bench = load();
    bench.breakpoints({ line: 5 });
    bench.start();
    const seen: string[] = [];
    while (bench.where() === 'main:5') seen.push(step(bench));
    expect(bench.where()).toBe('main:6');
    expect(seen.some((text) => text.includes('i64.add'))).toBe(true);
    expect(seen.some((text) => text.includes('call $'))).toBe(false);
    expect([bench.value('r0'), insns(bench)]).toEqual(['0xa (10)', 6]);
    expect(bench.to('out')).toBe('main:8');
    expect(bench.value('r0')).toBe('0x14 (20)');
  });

  test('is called, and its breakpoint is hit, where one was set at the stop; no longer, when it is gone', () => {
    const bench = load();
    bench.breakpoints({ line: 5 });
    bench.start();
    bench.breakpoints({ line: 11 });
    let report = bench.resume({ kind: 'in', granularity: 'native' });
    for (let i = 0; i < 200 && report?.reason === 'step'; i++)
      report = bench.resume({ kind: 'in', granularity: 'native' });
    expect([report?.reason, bench.where()]).toEqual(['breakpoint', 'double:11 < main:5']);

    const again = load();
    again.breakpoints({ line: 5 }, { line: 11 });
    again.start();
    again.breakpoints();
    while (again.where() === 'main:5') step(again);
    expect(again.where()).toBe('main:6');
  });

  test('is left where no more instructions may be executed', () => {
    const ends = ['reference', 'wasm'].map((engine) => {
      const bench = load({ engine, maxInsns: 4 });
      bench.breakpoints({ line: 5 });
      let report = bench.start();
      if (engine === 'wasm') while (bench.where() === 'main:5') step(bench);
      report = bench.resume({ kind: 'continue' });
      return [report?.fault?.kind, bench.where(), insns(bench)];
    });
    expect(ends[0]).toEqual(['insn_limit', 'double:11 < main:5', 4]);
    expect(ends[1]).toEqual(ends[0]);
  });

  test('with another engine in lockstep', () => {
    const bench = load({ lockstep: 'reference' });
    bench.breakpoints({ line: 5 });
    bench.start();
    while (bench.where() === 'main:5') step(bench);
    expect([bench.where(), bench.value('r0')]).toEqual(['main:6', '0xa (10)']);
    expect(bench.to('continue')).toBe('end');
    expect(bench.output('console')).toMatch(/lockstep: wasm and reference are equal/);
  });
});

describe('what was evaluated is dropped', () => {
  const LOAD = `.program raw
main:
	*(u64 *)(r10 - 8) = 5
	r7 = *(u64 *)(r10 - 8)
	r0 = r7
	exit
`;

  test.each(['assign', 'evaluate', 'writeMemory'])('when memory is changed: %s', (how) => {
    const bench = Bench.load(LOAD, { engine: 'wasm' });
    bench.breakpoints({ line: 4 });
    bench.start();
    const first = address(bench);
    stepTo(bench, /^local\.set \$r7/);
    expect(nativeRows(bench)).toContain('operand 0 0x5');
    const { session } = bench;
    const target = '*(u64 *)(r10 - 8)';
    if (how === 'assign') session.request('assign', { target, value: '77', frame: 0 });
    else if (how === 'evaluate')
      session.request('evaluate', { expression: `${target} = 77`, frame: 0, context: 'repl' });
    else {
      const reference = session.request('children', { of: { kind: 'stack' }, start: 0, count: 1 })[0]?.memory
        ?.reference;
      const bytes = Uint8Array.of(77, 0, 0, 0, 0, 0, 0, 0);
      session.request('writeMemory', { reference: reference ?? '', offset: 504, bytes, allowPartial: false });
    }
    expect(bench.value(target)).toBe('0x4d (77)');
    expect(address(bench)).toBe(first);
    stepTo(bench, /^local\.set \$r7/);
    expect(nativeRows(bench)).toContain('operand 0 0x4d (77)');
    step(bench);
    expect(bench.value('r7')).toBe('0x4d (77)');
  });
});

test('a jump back to the first instruction stands at its code, with its locals, not in the prologue', () => {
  const text = '.program raw\nmain:\n\tr6 += 1\n\tif r6 < 3 goto main\n\tr0 = 0\n\texit\n'.replace(
    'r6 += 1',
    'r1 += 1\n\tr6 = r1',
  );
  const bench = Bench.load(text, { engine: 'wasm' });
  bench.breakpoints({ line: 3 });
  bench.start();
  const entry = address(bench);
  expect(insnAt(bench)).toBe('local.get $block');
  bench.to('continue');
  expect(address(bench)).toBeGreaterThan(entry);
  expect(insnAt(bench)).toMatch(/^i32\.const/);
  expect(bench.value('$r1')).toBe('0x1');
  const here = address(bench);
  bench.session.request('assign', { target: 'r1', value: '1', frame: 0 });
  expect(address(bench)).toBe(here);
  for (const name of ['$r9', '$r2'])
    expect(bench.value(name)).toBe(`! ${name}: the function has no local ${name}`);
});
