import { describe, expect, test } from 'vitest';
import { Bench } from './harness.ts';
import { address, insnAt, nativeRows, step, stepTo } from './native-bench.ts';

const TEXT = `.program raw
main:
	r6 = 1000
	r7 = 3
again:
	r6 /= r7
	r1 = r6
	call add
	if r6 != 0 goto again
	exit
add:
	r0 = r1
	*(u64 *)(r10 - 8) = r0
	r0 <<= 1
	exit
`;

const load = (text = TEXT, args: object = {}): Bench => Bench.load(text, { engine: 'wasm', ...args });

const insns = (bench: Bench): unknown => bench.session.request('stats', null).insns;

describe('native steps in WebAssembly', () => {
  test('one WebAssembly instruction each, along its control flow', () => {
    const bench = load();
    bench.breakpoints({ line: 6 });
    bench.start();
    const seen = [insnAt(bench), ...Array.from({ length: 12 }, () => step(bench))].map((text) =>
      text.replace(/offset=\d+/, 'offset=N'),
    );
    expect(seen).toMatchInlineSnapshot(`
      [
        "i32.const 0",
        "step main:6 i32.load8_u offset=N ;; breakpoint at @2?",
        "step main:6 if",
        "step main:6 local.get $left",
        "step main:6 i32.const 1",
        "step main:6 i32.sub",
        "step main:6 local.set $left",
        "step main:6 local.get $r7",
        "step main:6 i64.const 0",
        "step main:6 i64.ne",
        "step main:6 if",
        "step main:6 i32.const 0",
        "step main:6 i32.load8_u offset=N ;; breakpoint at @5?",
      ]
    `);
  });

  test('registers are those before the instruction until its code is over', () => {
    const bench = load();
    bench.breakpoints({ line: 14 });
    bench.start();
    stepTo(bench, /^local\.set \$r0/);
    expect([bench.where(), bench.value('r0')]).toEqual(['add:14 < main:8', '0x14d (333)']);
    step(bench);
    expect([bench.where(), bench.value('r0')]).toEqual(['add:15 < main:8', '0x29a (666)']);
  });

  test('the Native scope: where it stands, operand stack, locals', () => {
    const bench = load();
    bench.breakpoints({ line: 6 });
    bench.start();
    const native = (): string[] => nativeRows(bench);
    expect(native().slice(0, 2)).toEqual([
      expect.stringMatching(/^at 0xffffffffa0\w+ main\+\d+, byte \d+ of the module$/),
      'operand stack empty',
    ]);
    expect(native()).toContain('$r7 0x3');
    stepTo(bench, /^i64\.div_u/);
    expect(native().slice(1, 3)).toEqual(['operand 0 0x3e8 (1000)', 'operand 1 0x3']);
    expect([bench.value('$r6'), bench.value('$depth')]).toEqual(['0x3e8 (1000)', '0x0']);
    step(bench);
    expect(native()[1]).toBe('operand 0 0x14d (333)');
    stepTo(bench, /^br /);
    // the local has the result, the register of the program has it when the instruction is over
    expect([bench.value('$r6'), bench.value('r6')]).toEqual(['0x14d (333)', '0x3e8 (1000)']);
    expect(bench.value('$rax')).toMatch(/register of the processor, which the engine wasm has not/);
    expect(bench.value('$lef')).toMatch(/did you mean \$left\?/);
  });

  test('into a call, out of it; over it it stands behind the call', () => {
    const bench = load();
    bench.breakpoints({ line: 8 });
    bench.start();
    stepTo(bench, /^call \$add/);
    const call = address(bench);
    expect(step(bench)).toMatch(/^step add:12 < main:8 local\.get \$block/);
    expect(bench.to('out')).toBe('main:9');
    bench.to('continue');
    stepTo(bench, /^call \$add/);
    expect(address(bench)).toBe(call);
    expect(step(bench, 'over')).toBe('step main:9 local.tee $left');
    expect([address(bench) - call, bench.value('r0')]).toEqual([2n, '0xde (222)']);
    expect(step(bench)).toBe('step main:9 i32.const 0');
  });

  test('an exit gives the count back behind the call', () => {
    const bench = load();
    bench.breakpoints({ line: 15 });
    bench.start();
    stepTo(bench, /^return/);
    expect(bench.where()).toBe('add:15 < main:8');
    expect(step(bench)).toBe('step main:9 local.tee $left');
  });

  test('line steps, steps by instruction and continue go on from amid a BPF instruction', () => {
    const bench = load();
    bench.breakpoints({ line: 6 });
    bench.start();
    stepTo(bench, /^i64\.div_u/);
    expect(bench.where()).toBe('main:6');
    expect([bench.to('over'), bench.value('r6')]).toEqual(['main:7', '0x14d (333)']);
    bench.to('continue');
    stepTo(bench, /^i64\.div_u/);
    expect([bench.where(), bench.value('r6')]).toEqual(['main:6', '0x14d (333)']);
    expect(bench.to('over', 'instruction')).toBe('main:7');
    expect(bench.value('r6')).toBe('0x6f (111)');
    bench.breakpoints();
    step(bench);
    expect(bench.to('continue')).toBe('end');
    expect(bench.output('console')).toMatch(/packet 1\/1: 0x0/);
  });

  test('a breakpoint, native steps, on: nothing is lost and nothing comes twice', () => {
    const bench = load();
    bench.breakpoints({ line: 3 }, { line: 12 });
    expect(bench.start()?.breakpoints).toEqual([1]);
    for (let i = 0; i < 5; i++) expect(step(bench)).toMatch(/^step main:3/);
    const rounds: string[] = [];
    for (let next = bench.to('continue'); next !== 'end'; next = bench.to('continue')) {
      rounds.push(next);
      step(bench);
    }
    expect(rounds).toEqual(new Array(7).fill('add:12 < main:8'));
  });

  test('a pause that comes while a step is under way does not stop the program later', () => {
    const bench = load();
    bench.breakpoints({ line: 6 });
    bench.start();
    bench.session.request('resume', { kind: 'in', granularity: 'native' });
    bench.session.request('pause', null);
    bench.session.runSlice(1);
    expect(bench.session.isRunning).toBe(false);
    expect(bench.resume({ kind: 'continue' })).toMatchObject({ reason: 'breakpoint' });
  });

  test('breakpoints that steps come to are hit, once', () => {
    const bench = load();
    bench.breakpoints({ line: 6 });
    bench.start();
    bench.breakpoints({ line: 7 }, { line: 12 }, { line: 9 });
    const stops: string[] = [];
    for (let i = 0; i < 400; i++) {
      const report = bench.resume({ kind: 'in', granularity: 'native' });
      if (report?.reason === 'breakpoint') stops.push(bench.where());
      if (bench.where() === 'main:10') break;
    }
    expect(stops).toEqual(['main:7', 'add:12 < main:8', 'main:9', 'main:7', ...stops.slice(4)]);
  });

  test('an edited register sets the code back to where the instruction begins, as rewritten', () => {
    const bench = load();
    bench.breakpoints({ line: 6 });
    bench.start();
    stepTo(bench, /breakpoint at @5/);
    const second = address(bench);
    stepTo(bench, /^i64\.div_u/);
    bench.session.request('assign', { target: 'r6', value: '90', frame: 0 });
    expect(second - address(bench)).toBe(2n);
    stepTo(bench, /^local\.set \$r6/);
    step(bench);
    bench.to('over');
    expect(bench.value('r6')).toBe('0x1e (30)');
  });

  test('another engine goes on from amid an instruction, and back', () => {
    const bench = load();
    bench.breakpoints({ line: 6 });
    bench.start();
    stepTo(bench, /^i64\.div_u/);
    expect(bench.session.request('switchEngine', { name: 'interp' })).toMatchObject({ ok: true });
    expect([bench.to('over'), bench.value('r6')]).toEqual(['main:7', '0x14d (333)']);
    expect(bench.session.request('switchEngine', { name: 'wasm' })).toMatchObject({ ok: true });
    expect(step(bench)).toMatch(/^step main:7 /);
  });

  test('the last instruction ends the run with its verdict', () => {
    const bench = load();
    bench.breakpoints({ line: 10 });
    bench.start();
    let report = bench.resume({ kind: 'in', granularity: 'native' });
    for (let i = 0; i < 40 && report?.verdict === undefined; i++) {
      report = bench.resume({ kind: 'in', granularity: 'native' });
    }
    expect(report).toMatchObject({ reason: 'step', verdict: '0x0' });
  });

  test('the Native scope is there behind the last exit and at a fault, too', () => {
    const scopes = (bench: Bench): string[] =>
      bench.session.request('scopes', { frame: 0 }).map(({ name }) => name);
    const bench = load();
    bench.breakpoints({ line: 10 });
    bench.start();
    bench.to('over');
    expect(scopes(bench)).toContain('Native');
    expect(bench.value('$left')).toMatch(/^0x/);
    const faulting = load(TEXT.replace('r0 <<= 1', 'r0 = *(u8 *)(r0 + 0)'));
    expect(faulting.start()?.reason).toBe('exception');
    expect(scopes(faulting)).toContain('Native');
    expect(faulting.value('$r0')).toBe('0x14d (333)');
  });

  test('beside another engine in lockstep', () => {
    const bench = load(TEXT, { lockstep: 'reference' });
    bench.breakpoints({ line: 6 });
    bench.start();
    stepTo(bench, /^i64\.div_u/);
    expect(bench.to('over')).toBe('main:7');
    bench.breakpoints();
    expect(bench.to('continue')).toBe('end');
    expect(bench.output('console')).toMatch(/lockstep: wasm and reference are equal/);
  });
});

const PACKET = `	.section xdp,"ax"
	.globl prog
prog:
	r2 = *(u32 *)(r1 + 0)
	r3 = *(u32 *)(r1 + 12)
	r4 = r3
	r0 = *(u8 *)(r2 + 13)
	r0 += r4
	r0 = *(u8 *)(r2 + 200)
	exit
	.size prog, .-prog
`;

describe('instructions that were rewritten to several', () => {
  test('steps stop between them, and a step by instruction executes the rest only', () => {
    const bench = load(PACKET, { data: { kind: 'builtin', name: 'tcp-syn' } });
    bench.start({ stopOnEntry: true });
    bench.to('over');
    expect(bench.where()).toBe('prog:5');
    const before = Number(insns(bench));
    while (Number(insns(bench)) === before) step(bench);
    expect([bench.where(), Number(insns(bench)) - before]).toEqual(['prog:5', 1]);
    expect(bench.to('over', 'instruction')).toBe('prog:6');
    expect(Number(insns(bench)) - before).toBe(1);
    stepTo(bench, /^local\.set \$r4/);
    expect(bench.to('over')).toBe('prog:7');
    expect(Number(insns(bench)) - before).toBe(2);
  });

  test('the limit of instructions is reached behind them, not amid', () => {
    const ends = ['reference', 'wasm', 'x86-64'].map((engine) => {
      const bench = Bench.load(PACKET, { engine, data: { kind: 'builtin', name: 'tcp-syn' }, maxInsns: 2 });
      bench.start({ stopOnEntry: true });
      bench.to('over');
      const before = Number(insns(bench));
      if (engine === 'wasm') while (Number(insns(bench)) === before) step(bench);
      if (engine === 'x86-64') for (let i = 0; i < 2; i++) step(bench);
      expect(bench.where()).toBe('prog:5');
      const report = bench.resume({ kind: 'continue' });
      return [report?.fault?.kind, report?.fault?.pc, bench.where(), bench.output('stderr')];
    });
    expect(ends[0]?.slice(0, 3)).toEqual(['insn_limit', 2, 'prog:6']);
    expect(ends).toEqual([ends[0], ends[0], ends[0]]);
  });

  test('an access is checked by code as when it runs freely; one that is refused is a fault', () => {
    const bench = load(PACKET, { data: { kind: 'builtin', name: 'tcp-syn' } });
    bench.breakpoints({ line: 7 }, { line: 9 });
    bench.start();
    const texts: string[] = [];
    while (bench.where() === 'prog:7') texts.push(step(bench));
    expect(texts.filter((text) => text.includes('call $leave'))).toEqual([]);
    expect(texts.at(-1)).toMatch(/^step prog:8 /);
    bench.to('continue');
    expect(bench.where()).toBe('prog:9');
    let report = bench.resume({ kind: 'over', granularity: 'native' });
    for (let i = 0; i < 40 && report?.fault === undefined; i++) {
      report = bench.resume({ kind: 'over', granularity: 'native' });
    }
    expect(report).toMatchObject({ reason: 'exception', fault: { kind: 'out_of_bounds' } });
  });
});
