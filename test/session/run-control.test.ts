import { describe, expect, test } from 'vitest';
import { Bench } from './harness.ts';
import { pcapOf } from './pcap.ts';
import { tailCallTo } from './programs.ts';

const FIB = `.program raw
main:
	r1 = 5
	call fib
	exit
fib:
	if r1 s> 1 goto deeper
	r0 = r1
	exit
deeper:
	r6 = r1
	r1 += -1
	call fib
	r7 = r0
	r1 = r6
	r1 += -2
	call fib
	r0 += r7
	exit
`;

const LOOP = `.program raw
main:
	r0 = 0
	r6 = 4
next: r0 += r6; r6 += -1; if r6 != 0 goto next
	exit
`;

describe('stepping', () => {
  test('in, over and out of calls', () => {
    const bench = Bench.load(FIB);
    expect(bench.start({ stopOnEntry: true })).toMatchObject({ reason: 'entry', stop: 1 });
    expect(bench.to('in')).toBe('main:4');
    expect(bench.to('in')).toBe('fib:7 < main:4');
    expect(bench.to('over')).toBe('fib:11 < main:4');
    expect(bench.to('over')).toBe('fib:12 < main:4');
    expect(bench.to('over')).toBe('fib:13 < main:4');
    // Over the recursive call: its own recursion passes the same place deeper and must not stop.
    expect(bench.to('over')).toBe('fib:14 < main:4');
    expect(bench.value('r0')).toBe('0x3');
    expect(bench.to('out')).toBe('main:5');
    expect(bench.value('r0')).toBe('0x5');
  });

  test('stepping out of the main function stops with the verdict', () => {
    const bench = Bench.load(FIB);
    bench.start({ stopOnEntry: true });
    const report = bench.resume({ kind: 'out' });
    expect(report).toMatchObject({ reason: 'step', verdict: '0x5' });
    expect(bench.where()).toBe('main:5');
    expect(bench.to('continue')).toBe('end');
    expect(bench.ended).toBe(0);
  });

  test('over the last exit stops once more, then ends', () => {
    const bench = Bench.load(FIB);
    bench.breakpoints({ line: 5 });
    bench.start();
    expect(bench.where()).toBe('main:5');
    expect(bench.resume({ kind: 'over', granularity: 'line' })).toMatchObject({ verdict: '0x5', stop: 2 });
    expect(bench.where()).toBe('main:5');
    expect(bench.to('over')).toBe('end');
  });

  test('several statements in a line are one step, each round of a loop another', () => {
    const bench = Bench.load(LOOP);
    bench.start({ stopOnEntry: true });
    expect([bench.to('over'), bench.to('over')]).toEqual(['main:4', 'main:5']);
    expect([bench.to('over'), bench.value('r6')]).toEqual(['main:5', '0x3']);
    expect([bench.to('over'), bench.value('r6')]).toEqual(['main:5', '0x2']);
  });

  test('by instruction', () => {
    const bench = Bench.load(LOOP);
    bench.breakpoints({ line: 5 });
    bench.start();
    bench.to('in', 'instruction');
    expect([bench.where(), bench.value('r0'), bench.value('r6')]).toEqual(['main:5', '0x4', '0x4']);
    bench.to('over', 'instruction');
    expect([bench.value('r0'), bench.value('r6')]).toEqual(['0x4', '0x3']);
  });

  test('a breakpoint inside a call that is stepped over stops there', () => {
    const bench = Bench.load(FIB);
    bench.breakpoints({ line: 8 });
    bench.start({ stopOnEntry: true });
    bench.to('over');
    const report = bench.resume({ kind: 'over', granularity: 'line' });
    expect(report).toMatchObject({ reason: 'breakpoint', breakpoints: [1] });
    expect(bench.where()).toBe('fib:8 < fib:13 < fib:13 < fib:13 < fib:13 < main:4');
  });

  test('a breakpoint at the beginning of a function that is stepped over is counted once', () => {
    const source = '.program raw\nmain:\n\tcall f\n\tcall f\n\texit\nf:\n\tr0 = 1\n\texit\n';
    const bench = Bench.load(source);
    bench.breakpoints({ line: 7, hitCondition: '2' });
    bench.start({ stopOnEntry: true });
    expect(bench.to('over')).toBe('main:4');
    expect(bench.to('over')).toBe('f:7 < main:4');
  });

  test('a rewritten context access is one step', () => {
    const source = '.program socket_filter\nmain:\n\tr0 = *(u32 *)(r1 + 20)\n\tr0 += 1\n\texit\n';
    const bench = Bench.load(source);
    bench.start({ stopOnEntry: true });
    expect(bench.to('in', 'instruction')).toBe('main:4');
    expect(bench.to('in')).toBe('main:5');
  });

  test('a tail call is stepped into; the frame is the other program', () => {
    const named = tailCallTo('\tr0 = XDP_TX\n\texit\n');
    const source = named.replace('.map_entry jmp, 1, second\n', '');
    const bench = Bench.load(source, { prog: 'first', progArrays: { jmp: { '1': 'second' } } });
    bench.breakpoints({ line: 8 });
    bench.start();
    expect(bench.to('over')).toBe('second:15');
    expect(bench.resume({ kind: 'out' })).toMatchObject({ verdict: 'XDP_TX (3)' });
    // The same, said in the file.
    const again = Bench.load(named, { prog: 'first' });
    again.breakpoints({ line: 16 });
    again.start();
    expect(again.where()).toBe('second:16');
  });

  test('registers of an outer frame are those that the call keeps', () => {
    const bench = Bench.load(FIB);
    bench.breakpoints({ line: 7 });
    bench.start();
    bench.to('continue');
    expect(bench.where()).toBe('fib:7 < fib:13 < main:4');
    expect(bench.value('r6', 1)).toBe('0x5');
    expect(bench.value('r1', 1)).toBe('! r1 of this frame is not kept over the call that it waits in');
    expect(bench.value('r10 - 8', 1)).toMatch(/ fp - 8$/);
    expect(bench.value('r10 - 8', 2)).toMatch(/ fp - 8$/);
    const edit = bench.session.request('assign', { target: 'r6', value: '1', frame: 1 });
    expect(edit).toEqual({ ok: false, message: 'only registers of the innermost frame can be written' });
  });
});

describe('breakpoints', () => {
  test('a condition is looked at each time', () => {
    const bench = Bench.load(LOOP);
    bench.breakpoints({ line: 5, condition: 'r6 == 2' });
    bench.start();
    expect([bench.where(), bench.value('r6')]).toEqual(['main:5', '0x2']);
    expect(bench.to('continue')).toBe('end');
  });

  test.each([
    ['3', ['0x2']],
    ['== 3', ['0x2']],
    ['>= 3', ['0x2', '0x1']],
    ['> 3', ['0x1']],
    ['<= 1', ['0x4']],
    ['< 3', ['0x4', '0x3']],
    ['% 2', ['0x3', '0x1']],
  ])('hit count %s', (hitCondition, stops) => {
    const bench = Bench.load(LOOP);
    bench.breakpoints({ line: 5, hitCondition });
    const seen: string[] = [];
    for (let stop = bench.start(); stop !== undefined; stop = bench.resume({ kind: 'continue' })) {
      seen.push(bench.value('r6'));
    }
    expect(seen).toEqual(stops);
  });

  test('a log message prints and does not stop', () => {
    const bench = Bench.load(LOOP);
    bench.breakpoints({ line: 5, logMessage: 'left {r6}, sum {r0}{', condition: 'r6 < 3' });
    expect(bench.start()).toBeUndefined();
    expect(bench.output('console')).toContain('left 0x2, sum 0x7{\nleft 0x1, sum 0x9{\n');
  });

  test('a loop that prints without end is cut short until the next stop', () => {
    const bench = Bench.load('r6 = 30000\nnext: r6 += -1; if r6 != 0 goto next\nr0 = 0\nexit\n');
    bench.breakpoints({ line: 2, logMessage: 'left {r6}' }, { line: 3 });
    expect(bench.start()).toMatchObject({ reason: 'breakpoint' });
    expect(bench.output('console').split('left')).toHaveLength(10_001);
    expect(bench.output('stderr')).toBe(
      'more than 10000 lines of output: what follows is left out until the next stop\n',
    );
  });

  test('thousands of breakpoints are replaced by looking at each a few times, not at each other', () => {
    const bench = Bench.load(LOOP);
    let looks = 0;
    const many = Array.from({ length: 20_000 }, (_, i) => ({
      line: 3,
      get condition() {
        looks++;
        return `r0 == ${i}`;
      },
    }));
    const first = bench.breakpoints(...many);
    const again = bench.breakpoints({ line: 4 }, ...many.toReversed());
    expect(again.slice(1).map(({ id }) => id)).toEqual(first.map(({ id }) => id).toReversed());
    expect(looks).toBeLessThan(10 * many.length);
  });

  test('a condition that cannot be evaluated stops and says why', () => {
    const bench = Bench.load(LOOP);
    bench.breakpoints({ line: 5, condition: '*(u32 *)(r6) == 1' });
    expect(bench.start()?.description).toContain(
      'condition of the breakpoint in line 5: read of 4 bytes at 0x4',
    );
  });

  test.each([
    [{ line: 1 }, { verified: true, line: 3, message: 'line 1 has no instruction: stops at line 3' }],
    [{ line: 6 }, { verified: true, line: 6 }],
    [{ line: 7 }, { verified: false, message: 'there is no instruction on this line or after it' }],
    [
      { line: 5, column: 20 },
      { verified: true, line: 5, column: 27 },
    ],
    [
      { line: 3, condition: 'r1 +' },
      { verified: false, message: expect.stringMatching(/^condition: a register/) },
    ],
    [
      { line: 3, condition: 'r1 = 1' },
      { verified: false, message: 'condition: an assignment is none; compare with ==' },
    ],
    [
      { line: 3, hitCondition: 'often' },
      { verified: false, message: expect.stringContaining('write 5, >= 5 or % 5') },
    ],
    [
      { line: 3, logMessage: '{r1 +}' },
      { verified: false, message: expect.stringContaining('log message, {r1 +}') },
    ],
  ])('%o', (request, reply) => {
    expect(Bench.load(LOOP).breakpoints(request)).toMatchObject([reply]);
  });

  test('a column breakpoint stops in the middle of a line', () => {
    const bench = Bench.load(LOOP);
    bench.breakpoints({ line: 5, column: 16 });
    bench.start();
    expect([bench.value('r0'), bench.value('r6')]).toEqual(['0x4', '0x4']);
  });

  test('another file, and a program that does not run', () => {
    const two =
      '\t.section xdp,"ax"\nfirst:\n\tr0 = 2\n\texit\n\t.section tc,"ax"\nsecond:\n\tr0 = 0\n\texit\n';
    const bench = Bench.load(two, { prog: 'second' });
    expect(bench.breakpoints({ line: 3 }, { line: 7 })).toMatchObject([
      { verified: false, message: 'line 3 belongs to another program than second, which runs' },
      { verified: true, line: 7 },
    ]);
    const other = bench.session.request('setBreakpoints', { file: '/work/x.s', breakpoints: [{ line: 1 }] });
    expect(other).toMatchObject([
      { verified: false, message: 'x.s is not part of the program that is debugged' },
    ]);
  });

  test('a drive letter may be upper or lower case', () => {
    const bench = new Bench();
    const source = new TextEncoder().encode(LOOP);
    bench.session.request('load', { fileName: 'c:\\work\\loop.bpf.s', source });
    const reply = bench.session.request('setBreakpoints', {
      file: 'C:\\work\\loop.bpf.s',
      breakpoints: [{ line: 4 }],
    });
    expect(reply).toMatchObject([{ verified: true, line: 4 }]);
  });

  test('ids and counts stay when the same breakpoint is set again', () => {
    const bench = Bench.load(LOOP);
    const wanted = { line: 5, hitCondition: '2' };
    const [first] = bench.breakpoints(wanted);
    bench.start({ stopOnEntry: true });
    const [again, added] = bench.breakpoints(wanted, { line: 6 });
    expect([again?.id, added?.id]).toEqual([first?.id, 2]);
    bench.breakpoints({ line: 6 });
    expect(bench.to('continue')).toBe('main:6');
  });
});

describe('the run', () => {
  const LENGTH = `.section xdp,"ax"
main:
	r0 = *(u32 *)(r1 + 4)
	r1 = *(u32 *)(r1 + 0)
	r0 -= r1
	r0 &= 1
	exit
`;
  const capture = { name: 'x.pcap', bytes: pcapOf([60, 61, 62].map((size) => new Uint8Array(size))) };

  test('goes on to the next packet; a step stops at its entry', () => {
    const bench = Bench.load(LENGTH, { capture, packets: 'all' });
    bench.breakpoints({ line: 7 });
    bench.start();
    expect(bench.resume({ kind: 'over', granularity: 'line' })?.verdict).toBe('XDP_ABORTED (0)');
    expect(bench.resume({ kind: 'over', granularity: 'line' })).toMatchObject({ description: 'packet 2/3' });
    expect(bench.where()).toBe('main:3');
    expect(bench.to('continue')).toBe('main:7');
    expect(bench.to('continue')).toBe('main:7');
    expect(bench.to('continue')).toBe('end');
    expect(bench.output('console')).toBe(
      'packet 1/3: XDP_ABORTED (0), 5 instructions, r0 = 0x0\n' +
        'packet 2/3: XDP_DROP (1), 5 instructions, r0 = 0x1\n' +
        'packet 3/3: XDP_ABORTED (0), 5 instructions, r0 = 0x0\n' +
        '3 packets (XDP_ABORTED (0): 2, XDP_DROP (1): 1), 15 instructions\n',
    );
  });

  test('without debugging nothing stops it, faults are printed and counted', () => {
    const source = '.program raw\nmain:\n\tr0 = *(u8 *)(r1 + 0)\n\texit\n';
    const bench = Bench.load(source, { data: { kind: 'hex', text: '' } });
    bench.breakpoints({ line: 3 });
    expect(bench.start({ debug: false })).toBeUndefined();
    expect(bench.ended).toBe(1);
    expect(bench.output('stderr')).toMatch(
      /^packet 1\/1: fault at \/work\/program\.bpf\.s:3:2: read of 1 byte at 0x0/,
    );
  });

  test('faults stop, unless they are not to', () => {
    const source = '.program raw\nmain:\n\tr0 = *(u8 *)(r1 + 0)\n\texit\n';
    const bench = Bench.load(source);
    expect(bench.start()).toMatchObject({ reason: 'exception', fault: { kind: 'out_of_bounds' } });
    const other = Bench.load(source);
    other.session.request('setFaultStops', { on: false });
    expect(other.start()).toBeUndefined();
    expect(other.ended).toBe(1);
    // A step that runs into one has ended all the same.
    const stepping = Bench.load(source);
    stepping.session.request('setFaultStops', { on: false });
    stepping.start({ stopOnEntry: true });
    expect(stepping.resume({ kind: 'over', granularity: 'line' })).toMatchObject({
      reason: 'step',
      description: expect.stringMatching(/^read of 1 byte at 0x0/),
    });
    expect(stepping.to('continue')).toBe('end');
  });

  test('an instruction limit is a fault where it is reached', () => {
    const bench = Bench.load('.program raw\nmain:\n\tr0 = 0\nagain:\n\tgoto again\n\texit\n', {
      maxInsns: 1000,
    });
    expect(bench.start()).toMatchObject({ reason: 'exception', fault: { kind: 'insn_limit', pc: 1 } });
    expect(bench.where()).toBe('main:5');
  });

  test('statistics count runs and instructions', () => {
    const bench = Bench.load(LENGTH, { capture, packets: [1, 2] });
    bench.breakpoints({ line: 7 });
    bench.start();
    bench.resume({ kind: 'continue' });
    const { programs, insns } = bench.session.request('stats', null);
    expect(programs[0]?.cpus).toEqual([{ cpu: 0, cnt: '1', insns: '5', nsecs: '5', misses: '0' }]);
    expect(insns).toBe('4');
  });

  test('on another CPU', () => {
    const source = '.program raw\nmain:\n\tcall bpf_get_smp_processor_id\n\texit\n';
    const bench = Bench.load(source, { cpu: 3 });
    bench.start({ stopOnEntry: true });
    expect(bench.resume({ kind: 'out' })?.verdict).toBe('0x3');
  });

  test('a pause never shows the middle of a rewritten instruction', () => {
    // Two slots for pkt_type, three for vlan_present: a round is three instructions as loaded, and counts three.
    const source =
      '.program sched_cls\nmain:\n\tr6 = r1\nagain:\n\tr0 = *(u32 *)(r6 + 4)\n\tr0 = *(u32 *)(r6 + 20)\n\tgoto again\n\texit\n';
    const bench = Bench.load(source);
    bench.start({ stopOnEntry: true });
    const inRound = new Set<bigint>();
    for (let round = 1; round < 60; round++) {
      bench.session.request('resume', { kind: 'continue' });
      bench.session.runSlice(1);
      bench.session.request('pause', null);
      bench.session.runSlice(1000);
      expect(bench.session.isRunning).toBe(false);
      inRound.add((BigInt(bench.session.request('stats', null).insns) - 1n) % 3n);
      const [frame] = bench.session.request('frames', null);
      expect([1, 2, 3]).toContain(frame?.pc);
    }
    expect([...inRound].sort()).toEqual([0n, 1n, 2n]);
  });

  test('requests in the wrong state say so', () => {
    const bench = new Bench();
    expect(() => bench.session.request('frames', null)).toThrow('no program is loaded');
    bench.tryLoad(LOOP);
    expect(() => bench.session.request('resume', { kind: 'continue' })).toThrow('the program is not stopped');
    bench.start({ stopOnEntry: true });
    expect(() => bench.start()).toThrow('the program has been started already');
    expect(() => bench.tryLoad(LOOP)).toThrow('this session has a program already');
  });
});
