import { afterEach, describe, expect, test, vi } from 'vitest';
import { reference } from '#core/interp/reference.ts';
import type { LoadArgs } from '#core/session/load-request.ts';
import { Bench } from './harness.ts';
import { type Mistake, mistaken } from './lockstep-engines.ts';
import { pcapOf } from './pcap.ts';
import { MIXING_LOOP, tailCallTo } from './programs.ts';

const COUNT = `.map counts, array, 4, 8, 2
	.section xdp
main:
	r1 = counts ll
	*(u32 *)(r10 - 4) = 1
	r2 = r10
	r2 += -4
	call bpf_map_lookup_elem
	if r0 == 0 goto out
	r1 = *(u64 *)(r0 + 0)
	r1 += 1
	*(u64 *)(r0 + 0) = r1
out:	r0 = XDP_PASS
	exit
`;

afterEach(() => {
  vi.restoreAllMocks();
});

/** From now on the reference engine makes a mistake. */
function referenceErrs(mistake: Mistake): void {
  const right = { name: reference.name, run: reference.run };
  vi.spyOn(reference, 'run').mockImplementation(mistaken(right, mistake).run);
}

/** r1 is 1 too large behind the nth execution of `r1 *= 13`. */
function wrongProduct(nth: number): Mistake {
  return {
    insn: 'mul64_imm',
    from: nth,
    harm: (_, cpu) => {
      cpu.writeReg(1, cpu.readReg(1) + 1n);
      return undefined;
    },
  };
}

function load(source: string, args: Partial<LoadArgs> = {}): Bench {
  return Bench.load(source, { lockstep: 'reference', ...args });
}

describe('a session in lockstep', () => {
  test.each(['interp', 'wasm', 'x86-64'])('%s stops before the instruction that differs', (engine) => {
    referenceErrs(wrongProduct(600));
    const bench = load(MIXING_LOOP, { engine });
    const report = bench.start();
    expect(report).toMatchObject({
      reason: 'exception',
      difference: { executed: 3 + 599 * 6 + 1, location: { line: 7 }, insn: 'r1 *= 13' },
    });
    expect(report?.description).toMatch(
      / and reference differ in what .*:7:2 does, after 3,598 instructions/,
    );
    expect(bench.where()).toBe('main:7');
    expect(bench.value('r6')).toBe('0x191 (401)');
    expect(bench.output('stderr')).toContain(`Going on executes with ${engine} alone`);
    // The value that the session's own engine makes is the one told first.
    const told = report?.difference?.differences[0]?.values[0];
    expect(bench.to('over')).toBe('main:8');
    expect(bench.value('r1')).toBe(told);
    expect(bench.to('continue')).toBe('end');
    expect(bench.ended).toBe(1);
    expect(bench.output('console')).not.toContain('are equal');
  });

  test('an equal run stops where it would without, and ends', () => {
    const bench = load(MIXING_LOOP, { engine: 'wasm' });
    bench.breakpoints({ line: 9, hitCondition: '% 400' }, { line: 12 });
    bench.start();
    expect([bench.where(), bench.value('r6')]).toEqual(['main:9', '0x259 (601)']);
    expect([bench.to('continue'), bench.value('r6')]).toEqual(['main:9', '0xc9 (201)']);
    expect(bench.to('over')).toBe('main:10');
    expect(bench.to('in', 'instruction')).toBe('main:11');
    expect([bench.to('continue'), bench.to('over')]).toEqual(['main:12', 'main:12']);
    expect(bench.to('continue')).toBe('end');
    expect([bench.ended, bench.output('stderr')]).toEqual([0, '']);
    const [, counted] = /, (\d+) instructions, r0/.exec(bench.output('console')) ?? [];
    const extent = `${Number(counted).toLocaleString('en-US')} instructions, 1 packet`;
    expect(bench.output('console').split('\n').at(-2)).toBe(
      `lockstep: wasm and reference are equal after ${extent}`,
    );
  });

  test('a breakpoint before the difference is reached first, steps reach the difference', () => {
    referenceErrs(wrongProduct(50));
    const bench = load(MIXING_LOOP);
    bench.breakpoints({ line: 6, condition: 'r6 == 951' });
    expect(bench.start()).toMatchObject({ reason: 'breakpoint' });
    expect(bench.resume({ kind: 'over', granularity: 'line' })).toMatchObject({ reason: 'step' });
    expect(bench.where()).toBe('main:7');
    expect(bench.resume({ kind: 'over', granularity: 'line' })).toMatchObject({ reason: 'exception' });
    expect(bench.where()).toBe('main:7');
    expect(bench.resume({ kind: 'over', granularity: 'line' })).toMatchObject({ reason: 'step' });
    expect(bench.where()).toBe('main:8');
  });

  test('a pause stops where it is asked for', () => {
    const bench = load(MIXING_LOOP.replace('if r6 != 0 goto', 'goto'));
    bench.session.request('start', { stopOnEntry: false, debug: true });
    bench.session.runSlice(50_000);
    bench.session.request('pause', null);
    bench.session.runSlice(50_000);
    expect(bench.events.at(-1)).toMatchObject({ kind: 'stopped', report: { reason: 'pause' } });
    expect(bench.output('stderr')).toBe('');
  });

  test('what the user changes is changed on both sides', () => {
    const bench = load(MIXING_LOOP, { engine: 'wasm' });
    bench.breakpoints({ line: 9, hitCondition: '5' });
    bench.start();
    const assign = (target: string, value: string) =>
      expect(bench.session.request('assign', { target, value, frame: 0 })).toMatchObject({ ok: true });
    assign('r1', '5');
    assign('r7', '1');
    assign('*(u64 *)(r10 - 8)', '0');
    assign('*(u32 *)(r10 - 16)', '0xffff');
    const report = bench.resume({ kind: 'continue' });
    expect([report, bench.output('stderr')]).toEqual([undefined, '']);
    expect(bench.output('console')).toMatch(/6004 instructions/);
    expect(bench.output('console')).toContain('are equal after 6,004 instructions, 1 packet\n');
  });

  test('a difference behind an edit is found from there', () => {
    referenceErrs(wrongProduct(700));
    const bench = load(MIXING_LOOP);
    bench.breakpoints({ line: 6, hitCondition: '300' });
    bench.start();
    bench.session.request('evaluate', { expression: 'r6 = 600', frame: 0, context: 'repl' });
    expect(bench.resume({ kind: 'continue' })).toMatchObject({ difference: { executed: 3 + 699 * 6 + 1 } });
    // 300 rounds were begun before, and 400 more were complete.
    expect(bench.value('r6')).toBe('0xc8 (200)');
  });

  test('a difference that is known before an edit is found again behind it, or is gone', () => {
    referenceErrs(wrongProduct(50));
    const at = (change: string) => {
      const bench = load(MIXING_LOOP);
      bench.breakpoints({ line: 6, condition: 'r6 == 953' });
      bench.start();
      expect(bench.value('r6')).toBe('0x3b9 (953)');
      bench.session.request('evaluate', { expression: change, frame: 0, context: 'repl' });
      return bench.resume({ kind: 'continue' });
    };
    expect(at('r7 = 1')).toMatchObject({ difference: { executed: 3 + 49 * 6 + 1, insn: 'r1 *= 13' } });
    expect(at('r6 = 1')).toBeUndefined();
  });

  test('late in a run the search is announced', () => {
    const right = reference.run;
    const wrongAt = 2_100_005;
    vi.spyOn(reference, 'run').mockImplementation((machine, index, limits) => {
      const cpu = machine.cpu(index);
      const left = wrongAt - Number(cpu.insnsExecuted);
      if (left <= 0 || left > limits.budget) return right(machine, index, limits);
      right(machine, index, { ...limits, budget: left });
      cpu.writeReg(1, 0n);
      return right(machine, index, { ...limits, budget: limits.budget - left });
    });
    const bench = load(MIXING_LOOP.replace('r6 = 1000', 'r6 = 1000000'), { engine: 'wasm' });
    expect(bench.start()).toMatchObject({
      reason: 'exception',
      difference: { executed: wrongAt - 1, certainty: 'exact' },
    });
    expect(bench.output('stderr')).toContain(
      'lockstep: wasm and reference differ; looking for the instruction …\n',
    );
  });

  test('maps keep their contents; a difference on a later packet names it', () => {
    const capture = { name: 'c.pcap', bytes: pcapOf([60, 60, 60, 60].map((n) => new Uint8Array(n))) };
    const equal = load(COUNT, { capture, packets: 'all', engine: 'x86-64' });
    expect([equal.start(), equal.ended]).toEqual([undefined, 0]);
    referenceErrs({
      insn: 'stxdw',
      from: 3,
      harm: (machine, cpu) => {
        machine.space.write(cpu.readReg(0), Uint8Array.of(77));
        return undefined;
      },
    });
    const bench = load(COUNT, { capture, packets: 'all' });
    expect(bench.start()).toMatchObject({
      reason: 'exception',
      difference: { packet: 3, differences: [{ kind: 'map', name: 'counts[01000000]' }] },
    });
    expect(bench.where()).toBe('main:12');
    expect(bench.value('counts[1]')).toBe('0x2');
  });

  test('steps of one native instruction: before the one that differs it stops', () => {
    referenceErrs(wrongProduct(2));
    const bench = load(MIXING_LOOP, { engine: 'x86-64' });
    bench.breakpoints({ line: 10 });
    bench.start();
    const step = { kind: 'in', granularity: 'native' } as const;
    const lines: string[] = [];
    for (let i = 0; i < 40; i++) {
      const report = bench.resume(step);
      lines.push(bench.where());
      if (report?.reason === 'exception') break;
    }
    // `r6 += -1`, the jump (two native instructions), `r0 += r1`; then the difference.
    expect(lines.at(-1)).toBe('main:7');
    expect(lines).toContain('main:11');
    expect(bench.resume(step)).toMatchObject({ reason: 'step' });
    expect(bench.to('continue')).toBe('main:10');
  });

  test('a condition that is false does not end the run early, and a change amid an instruction ends comparing', () => {
    const bench = load(MIXING_LOOP, { engine: 'x86-64' });
    bench.breakpoints({ line: 11, condition: 'r6 == 3' });
    bench.start();
    expect(bench.value('r6')).toBe('0x3');
    // `if r6 != 0` is a comparison and a jump.
    bench.resume({ kind: 'in', granularity: 'native' });
    bench.session.request('assign', { target: 'r7', value: '1', frame: 0 });
    expect(bench.to('continue')).toBe('end');
    expect(bench.output('stderr')).toBe(
      'lockstep: x86-64 and reference are not compared any more: something was changed amid an instruction\n',
    );
  });

  test('another engine goes on: compared as well, until both are the same', () => {
    const bench = load(MIXING_LOOP, { engine: 'interp' });
    bench.breakpoints({ line: 9, hitCondition: '% 300' });
    bench.start();
    expect(bench.session.request('switchEngine', { name: 'wasm' })).toEqual({ ok: true, engine: 'wasm' });
    expect(bench.to('continue')).toBe('main:9');
    expect(bench.output('stderr')).toBe('');
    expect(bench.session.request('switchEngine', { name: 'reference' })).toMatchObject({ ok: true });
    bench.to('continue');
    expect(bench.output('stderr')).toBe(
      'lockstep: wasm and reference are not compared any more: both engines are reference now\n',
    );
  });

  test('without debugging the difference is printed, and the exit code is 1', () => {
    referenceErrs(wrongProduct(2));
    const bench = load(MIXING_LOOP);
    expect(bench.start({ debug: false })).toBeUndefined();
    expect(bench.ended).toBe(1);
    expect(bench.output('stderr')).toMatch(/interp and reference differ in what .*:7:2 does, after 10 instr/);
  });

  test('a limit, a fault and the end of the file', () => {
    const limited = load(MIXING_LOOP, { maxInsns: 1000 });
    expect(limited.start()).toMatchObject({ fault: { kind: 'insn_limit' } });
    const faulty = load('.program raw\n\tr1 = 1\n\tr0 = *(u64 *)(r1 + 0)\n\texit\n', { engine: 'x86-64' });
    expect(faulty.start()).toMatchObject({ fault: { kind: 'out_of_bounds' }, reason: 'exception' });
    expect(faulty.where()).toBe('program:3');
    expect([limited, faulty].map((bench) => bench.output('stderr')).join('')).not.toContain('differ');
  });

  test('a classic program in its own text, and programs that call each other', () => {
    const text = 'ldh [12]\njne #0x800, drop\nldb [23]\njneq #6, drop\nret #40\ndrop: ret #0\n';
    const classic = Bench.load(text, { fileName: '/work/tcp.cbpf', lockstep: 'reference', engine: 'wasm' });
    classic.start({ stopOnEntry: true });
    for (let i = 0; i < 4; i++) classic.to('over');
    expect(classic.value('A')).toBe('0x6');
    expect([classic.to('over'), classic.to('continue'), classic.output('stderr')]).toEqual([
      expect.stringContaining(':5'),
      'end',
      '',
    ]);
    const TAIL = tailCallTo('\tr0 = XDP_TX\n\tr0 *= 1\n\texit\n');
    const equal = load(TAIL, { prog: 'first', engine: 'x86-64' });
    expect([equal.start(), equal.ended]).toEqual([undefined, 0]);
    referenceErrs({
      insn: 'mul64_imm',
      from: 1,
      harm: (_, cpu) => {
        cpu.writeReg(0, 9n);
        return undefined;
      },
    });
    const bench = load(TAIL, { prog: 'first' });
    expect(bench.start()).toMatchObject({ difference: { program: 'second', location: { line: 17 } } });
    expect(bench.where()).toBe('second:17');
  });

  test('what cannot be compared is told at launch', () => {
    const tell = (args: Partial<LoadArgs>) => new Bench().tryLoad(MIXING_LOOP, args);
    expect(tell({ lockstep: 'fast' })).toMatchObject({
      ok: false,
      problem: { message: expect.stringContaining('lockstep: engine "fast" is not there; the engines are') },
    });
    expect(tell({ lockstep: 'interp' })).toMatchObject({
      ok: false,
      problem: { message: expect.stringContaining('lockstep: the program runs on "interp" already') },
    });
  });
});
