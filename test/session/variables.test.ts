import { describe, expect, test } from 'vitest';
import type { Container, VariableRow } from '#core/session/target-rows.ts';
import { Bench } from './harness.ts';

const SOURCE = `.map ports, hash, 2, 8, 64
.map_entry ports, 80, 7
.map routes, hash, 16, 3, 4
.map big, array, 4, 4, 20000
.map jmp, prog_array, 4, 4, 4
.map_entry jmp, 2, other
	.section xdp,"ax"
	.globl main
	.type main, @function
main:
	r6 = *(u32 *)(r1 + 0)
	*(u64 *)(r10 - 16) = 5
	*(u64 *)(r10 - 8) = r6
	r2 = r10
	r2 += -16
	r3 = -2
	r7 = ports ll
	r7 = routes ll
	r7 = big ll
	r7 = jmp ll
	r7 = 300
	r0 = XDP_DROP
	exit
	.size main, .-main
	.globl other
	.type other, @function
other:
	r0 = XDP_PASS
	exit
	.size other, .-other
`;

function stopped(): Bench {
  const bench = Bench.load(SOURCE, { prog: 'main', data: { kind: 'hex', text: '00'.repeat(40) } });
  bench.breakpoints({ line: 23 });
  bench.start();
  expect(bench.where()).toBe('main:23');
  return bench;
}

function rows(bench: Bench, of: Container, start = 0, count = 1000): readonly VariableRow[] {
  return bench.session.request('children', { of, start, count });
}

function values(all: readonly VariableRow[]): Record<string, string> {
  return Object.fromEntries(all.map((row) => [row.name, row.value]));
}

describe('scopes', () => {
  test('registers with what they mean', () => {
    expect(values(rows(stopped(), { kind: 'registers' }))).toMatchObject({
      r0: '0x1 XDP_DROP',
      r1: expect.stringMatching(/^0x[0-9a-f]{16} ctx$/),
      r2: expect.stringMatching(/^0x[0-9a-f]{16} fp - 16$/),
      r3: '0xfffffffffffffffe (-2)',
      r4: '0x0 (no value yet)',
      r6: expect.stringMatching(/^0x[0-9a-f]{16} packet$/),
      r7: '0x12c (300)',
      r10: expect.stringMatching(/ fp$/),
    });
  });

  test('the stack slots that are used', () => {
    expect(values(rows(stopped(), { kind: 'stack' }))).toEqual({
      'fp - 8': expect.stringMatching(/ packet$/),
      'fp - 16': '0x5',
    });
  });

  test('maps, their entries, and pages of a large one', () => {
    const bench = stopped();
    const maps = rows(bench, { kind: 'maps' });
    expect(values(maps)).toEqual({
      ports: 'hash, 1 of 64 entries, key 2 bytes, value 8 bytes',
      routes: 'hash, 0 of 4 entries, key 16 bytes, value 3 bytes',
      big: 'array, 20000 of 20000 entries, key 4 bytes, value 4 bytes',
      jmp: expect.stringMatching(/^prog_array, \d+ of 4 entries/),
    });
    const entries = (name: string, start = 0, count = 10) => {
      const of = maps.find((map) => map.name === name)?.children;
      return of === undefined ? {} : values(rows(bench, of, start, count));
    };
    expect(entries('ports')).toEqual({ '[80]': '0x7' });
    expect(entries('big', 19_999)).toEqual({ '[19999]': '0x0' });
    expect(entries('jmp')).toMatchObject({ '[2]': expect.stringMatching(/^0x[0-9a-f]+ other$/) });
  });

  test('any row of a large map can be set', () => {
    const bench = stopped();
    const of = rows(bench, { kind: 'maps' }).find((map) => map.name === 'big')?.children;
    const set = (target: string) =>
      bench.session.request('assign', {
        target,
        value: '9',
        frame: 0,
        ...(of === undefined ? {} : { container: of }),
      });
    expect(set('[19999]')).toMatchObject({
      ok: true,
      row: { value: '0x9' },
      edited: { memory: { offset: 159_992 } },
    });
    expect(set('[20000]')).toMatchObject({ ok: false });
    expect(set('x')).toEqual({ ok: false, message: 'x cannot be set' });
  });

  test.each([
    ['a number', 'percpu_hash, 4, 8, 100', '[2]'],
    ['bytes', 'percpu_hash, 12, 8, 100', '["020000000000000000000000"]'],
  ])(
    'an element of a per-CPU hash has a row a CPU, each of which can be set; the key is %s',
    (_, def, key) => {
      const source = `.map hits, ${def}
.map_entry hits, 2, 5
	.section xdp,"ax"
	.globl main
	.type main, @function
main:
	*(u64 *)(r10 - 16) = 2
	*(u64 *)(r10 - 8) = 0
	r1 = hits ll
	r2 = r10
	r2 += -16
	call bpf_map_lookup_elem
	if r0 == 0 goto out
	*(u64 *)(r0 + 0) = 9
out:
	r0 = 0
	exit
	.size main, .-main
`;
      const bench = Bench.load(source, { prog: 'main', cpu: 1 });
      bench.breakpoints({ line: 17 });
      bench.start();
      const [map] = rows(bench, { kind: 'maps' });
      const keySize = def.split(', ')[1];
      expect(map).toMatchObject({
        value: `percpu_hash, 1 of 100 entries, key ${keySize} bytes, value 8 bytes`,
        indexed: 2,
      });
      const of = map?.children ?? { kind: 'maps' };
      const shown = (start: number, count: number) => values(rows(bench, of, start, count));
      expect(shown(0, 2)).toEqual({ [`${key} on CPU 0`]: '0x5', [`${key} on CPU 1`]: '0x9' });
      expect(shown(1, 1)).toEqual({ [`${key} on CPU 1`]: '0x9' });
      const target = `${key} on CPU 0`;
      expect(bench.session.request('assign', { target, value: '7', frame: 0, container: of })).toMatchObject({
        ok: true,
      });
      expect(shown(0, 1)).toEqual({ [target]: '0x7' });
      const expression = `hits${key}`;
      expect(bench.session.request('evaluate', { expression, frame: 0, context: 'watch' })).toMatchObject({
        row: { value: '0x9' },
      });
    },
  );

  test('a per-CPU array has a row a CPU; expressions mean the one that runs', () => {
    const source = `.map hits, percpu_array, 4, 8, 100
.map_entry hits, 2, 5
	.section xdp,"ax"
	.globl main
	.type main, @function
main:
	*(u32 *)(r10 - 4) = 2
	r1 = hits ll
	r2 = r10
	r2 += -4
	call bpf_map_lookup_elem
	if r0 == 0 goto out
	*(u64 *)(r0 + 0) = 9
out:
	r0 = 0
	exit
	.size main, .-main
`;
    const bench = Bench.load(source, { prog: 'main', cpu: 1 });
    bench.breakpoints({ line: 15 });
    bench.start();
    expect(bench.where()).toBe('main:15');
    const [map] = rows(bench, { kind: 'maps' });
    expect(map).toMatchObject({
      value: 'percpu_array, 100 of 100 entries, key 4 bytes, value 8 bytes',
      indexed: 200,
    });
    const of = map?.children ?? { kind: 'maps' };
    expect(values(rows(bench, of, 3, 3))).toEqual({
      '[1] on CPU 1': '0x0',
      '[2] on CPU 0': '0x5',
      '[2] on CPU 1': '0x9',
    });
    const evaluate = (expression: string) =>
      bench.session.request('evaluate', { expression, frame: 0, context: 'watch' });
    expect(evaluate('hits[2]')).toMatchObject({ row: { value: '0x9' } });
    const target = '[2] on CPU 0';
    expect(bench.session.request('assign', { target, value: '7', frame: 0, container: of })).toMatchObject({
      ok: true,
      row: { value: '0x7' },
    });
    expect(values(rows(bench, of, 4, 1))).toEqual({ [target]: '0x7' });
    expect(rows(bench, of, 5, 1)[0]?.evaluateName).toMatch(/^\*\(u64 \*\)\(0xffff88/);
    expect(evaluate(`map_lookup(hits, 2)`)).toMatchObject({
      row: { value: expect.stringMatching(/^0x[0-9a-f]{16} hits\[2\] on CPU 1$/) },
    });
  });

  test('program arrays cannot be set', () => {
    const bench = stopped();
    const reply = bench.session.request('assign', { target: 'jmp[2]', value: '1', frame: 0 });
    expect(reply).toMatchObject({ ok: false });
  });
});

describe('views', () => {
  test('what a register without a value holds is no change', () => {
    const bench = Bench.load(
      '.program raw\nmain:\n\tcall f\n\tr6 = 2\n\texit\nf:\n\tr3 = 7\n\tr0 = 1\n\texit\n',
    );
    bench.start({ stopOnEntry: true });
    bench.to('over');
    const { registers } = bench.session.request('registers', { frame: 0 });
    expect(registers.find(({ name }) => name === 'r3')).toMatchObject({
      value: '0x0000000000000007',
      initialised: false,
    });
    expect(registers.filter(({ changed }) => changed).map(({ name }) => name)).toEqual(['r0']);
  });

  test('say what has changed since the previous stop', () => {
    const bench = Bench.load(SOURCE, { prog: 'main' });
    bench.start({ stopOnEntry: true });
    const changed = () =>
      bench.session
        .request('registers', { frame: 0 })
        .registers.filter((row) => row.changed)
        .map((row) => row.name);
    expect(changed()).toEqual([]);
    bench.to('over');
    expect(changed()).toEqual(['r6']);
    bench.to('over');
    expect(changed()).toEqual([]);
    const [frame] = bench.session.request('stack', { frame: 0 }).frames;
    expect(frame).toMatchObject({ initialised: [[496, 504]], changed: [[496, 497]] });
    bench.to('over');
    expect(bench.session.request('stack', { frame: 0 }).frames[0]).toMatchObject({
      initialised: [[496, 512]],
      meanings: [{ at: -8, meaning: 'packet' }],
    });
    bench.to('over');
    bench.to('over');
    expect(bench.session.request('stack', { frame: 0 }).frames[0]?.pointers).toEqual([
      { from: 'r2', at: -16 },
      { from: 'r10', at: 0 },
    ]);
  });
});
