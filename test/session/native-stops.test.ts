import { describe, expect, test } from 'vitest';
import { addressText } from '#core/session/code-address.ts';
import type { VariableRow } from '#core/session/target-rows.ts';
import { Bench } from './harness.ts';
import { insnAt, address as rip, step } from './native-bench.ts';
import { pcapOf } from './pcap.ts';

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
	r0 <<= 1
	exit
`;

/** `goto +0` has no machine code: lines 4 and 5 begin at one address. */
const SHARED = `.program raw
main:
	r0 = 1
	goto +0
	r0 += 1
	if r0 < 4 goto +1
	exit
	goto -4
`;

const load = (text: string): Bench => Bench.load(text, { engine: 'x86-64' });

function native(bench: Bench): Record<string, VariableRow> {
  const rows = bench.session.request('children', { of: { kind: 'native' }, start: 0, count: 100 });
  return Object.fromEntries(rows.map((row) => [row.name, row]));
}

const breakAt = (bench: Bench, ...addresses: bigint[]) =>
  bench.session.request('setInstructionBreakpoints', {
    breakpoints: addresses.map((address) => ({ reference: addressText(address), offset: 0 })),
  });

describe('native steps', () => {
  test('one native instruction each, through the prologue and amid BPF instructions', () => {
    const bench = load(TEXT);
    bench.start({ stopOnEntry: true });
    const seen = Array.from({ length: 16 }, () => step(bench));
    expect(seen).toMatchInlineSnapshot(`
      [
        "step main:3 nop dword ptr [rax]",
        "step main:3 push rbp",
        "step main:3 mov rbp, rsp",
        "step main:3 push rbx",
        "step main:3 push r13",
        "step main:3 mov ebx, 0x3e8",
        "step main:4 mov r13d, 0x3",
        "step main:6 test r13, r13",
        "step main:6 jne 0xffffffffc0000023",
        "step main:6 push rax",
        "step main:6 push rdx",
        "step main:6 mov rax, rbx",
        "step main:6 xor edx, edx",
        "step main:6 div r13",
        "step main:6 mov rbx, rax",
        "step main:6 pop rdx",
      ]
    `);
  });

  test('into a call, out of it; over it runs to the return address', () => {
    const bench = load(TEXT);
    bench.breakpoints({ line: 8 });
    bench.start();
    const call = rip(bench);
    expect(insnAt(bench)).toMatch(/^call /);
    expect(step(bench)).toMatch(/^step add:12 < main:8 nop/);
    expect(bench.to('out')).toBe('main:9');
    const behind = rip(bench);
    expect(behind).toBe(call + 5n);
    bench.to('continue');
    expect(rip(bench)).toBe(call);
    expect(step(bench, 'over')).toMatch(/^step main:9 /);
    expect(rip(bench)).toBe(behind);
  });

  test('line steps and continue go on from amid a BPF instruction', () => {
    const bench = load(TEXT);
    bench.breakpoints({ line: 6 });
    bench.start();
    for (let i = 0; i < 4; i++) step(bench);
    expect(bench.where()).toBe('main:6');
    expect(bench.to('over')).toBe('main:7');
    bench.to('continue');
    expect([bench.where(), bench.value('r6')]).toEqual(['main:6', '0x14d (333)']);
    step(bench);
    step(bench);
    step(bench);
    expect(bench.to('over', 'instruction')).toBe('main:7');
    expect(bench.value('r6')).toBe('0x6f (111)');
    bench.breakpoints();
    expect(bench.to('continue')).toBe('end');
    expect(bench.output('console')).toMatch(/packet 1\/1: 0x0/);
  });

  test('a breakpoint, native steps, on: nothing is lost and nothing comes twice', () => {
    const bench = load(TEXT);
    bench.breakpoints({ line: 3 }, { line: 11 });
    expect(bench.start()?.breakpoints).toEqual([1]);
    for (let i = 0; i < 5; i++) expect(step(bench)).toMatch(/^step main:3/);
    const rounds: string[] = [];
    for (let next = bench.to('continue'); next !== 'end'; next = bench.to('continue')) {
      rounds.push(next);
      step(bench);
    }
    expect(rounds).toEqual(new Array(7).fill('add:12 < main:8'));
  });

  test('the last instruction ends the run with its verdict', () => {
    const bench = load(TEXT);
    bench.breakpoints({ line: 10 });
    bench.start();
    let report = bench.resume({ kind: 'in', granularity: 'native' });
    for (let i = 0; i < 10 && report?.verdict === undefined; i++) {
      report = bench.resume({ kind: 'in', granularity: 'native' });
    }
    expect(report).toMatchObject({ reason: 'step', verdict: '0x0' });
  });

  test.each(['reference', 'interp'])('engine %s: as by instruction', (engine) => {
    const bench = Bench.load(TEXT, { engine });
    bench.start({ stopOnEntry: true });
    const native = bench.resume({ kind: 'in', granularity: 'native' });
    expect([native?.reason, bench.where()]).toEqual(['step', 'main:4']);
  });
});

describe('breakpoints by native address', () => {
  test('amid a BPF instruction: stops there each time, with the state before the instruction', () => {
    const bench = load(TEXT);
    bench.breakpoints({ line: 6 });
    bench.start();
    while (!insnAt(bench).startsWith('div ')) step(bench);
    const division = rip(bench);
    bench.breakpoints();
    const [set] = breakAt(bench, division);
    expect(set).toMatchObject({ verified: true, address: division, location: { line: 6 } });
    const r6: string[] = [];
    for (let report = bench.resume({ kind: 'continue' }); report !== undefined; ) {
      expect(report).toMatchObject({ reason: 'instruction breakpoint', breakpoints: [set?.id] });
      expect([rip(bench), bench.where(), bench.value('r7')]).toEqual([division, 'main:6', '0x3']);
      r6.push(bench.value('r6'));
      report = bench.resume({ kind: 'continue' });
    }
    expect(r6).toEqual(['0x14d (333)', '0x6f (111)', '0x25 (37)', '0xc (12)', '0x4', '0x1']);
  });

  test('a step over the line stops at it', () => {
    const bench = load(TEXT);
    bench.breakpoints({ line: 6 });
    bench.start();
    for (let i = 0; i < 5; i++) step(bench);
    const amid = rip(bench);
    bench.breakpoints({ line: 7 });
    bench.to('continue');
    const [set] = breakAt(bench, amid);
    bench.breakpoints();
    bench.to('over');
    bench.to('over');
    bench.to('over');
    const report = bench.resume({ kind: 'over', granularity: 'line' });
    expect(report).toMatchObject({ reason: 'instruction breakpoint', breakpoints: [set?.id] });
    expect([rip(bench), bench.to('over')]).toEqual([amid, 'main:7']);
  });

  test('conditions and hit counts', () => {
    const bench = load(TEXT);
    bench.breakpoints({ line: 6 });
    bench.start();
    for (let i = 0; i < 5; i++) step(bench);
    const reference = addressText(rip(bench));
    bench.breakpoints();
    bench.session.request('setInstructionBreakpoints', {
      breakpoints: [
        { reference, offset: 0, condition: 'r6 == 37' },
        { reference, offset: 0, hitCondition: '5' },
      ],
    });
    bench.to('continue');
    expect([bench.value('r6'), bench.to('continue'), bench.value('r6')]).toEqual([
      '0x25 (37)',
      'main:6',
      '0x4',
    ]);
  });

  test('with another engine it lies before the BPF instruction and says so', () => {
    const bench = load(TEXT);
    bench.breakpoints({ line: 6 });
    bench.start();
    for (let i = 0; i < 5; i++) step(bench);
    const amid = rip(bench);
    breakAt(bench, amid);
    const reply = bench.session.request('switchEngine', { name: 'interp' });
    expect(reply).toMatchObject({ ok: false, message: expect.stringContaining('amid') });
    bench.to('over');
    expect(bench.session.request('switchEngine', { name: 'interp' }).ok).toBe(true);
    expect(breakAt(bench, amid)).toMatchObject([
      { verified: true, message: expect.stringContaining('stops before its BPF instruction') },
    ]);
    expect(bench.resume({ kind: 'continue' })).toMatchObject({ reason: 'breakpoint', breakpoints: [1, 2] });
  });
});

test('in compiled WebAssembly a breakpoint amid a BPF instruction moves to where that begins and says so', () => {
  const bench = Bench.load(TEXT, { engine: 'wasm' });
  bench.breakpoints({ line: 6 });
  bench.start();
  const first = rip(bench);
  const args = { reference: addressText(first), offset: 0, instructionOffset: 1, count: 1, symbols: true };
  const reply = bench.session.request('disassemble', args);
  const second = 'rows' in reply ? reply.rows[0]?.address : undefined;
  bench.breakpoints();
  const [set] = breakAt(bench, second ?? 0n);
  expect(set).toMatchObject({
    verified: true,
    address: first,
    message: expect.stringMatching(/before this one, at/),
  });
  expect(bench.resume({ kind: 'continue' })).toMatchObject({
    reason: 'instruction breakpoint',
    breakpoints: [set?.id],
  });
  expect(rip(bench)).toBe(first);
});

test('in compiled WebAssembly a breakpoint where the first BPF instruction begins stays there, behind the prologue', () => {
  const bench = Bench.load(TEXT, { engine: 'wasm' });
  bench.start({ stopOnEntry: true });
  const from = {
    reference: addressText(rip(bench)),
    offset: 0,
    instructionOffset: 0,
    count: 40,
    symbols: true,
  };
  const reply = bench.session.request('disassemble', from);
  const own = 'rows' in reply ? reply.rows.find((row) => row?.symbol === 'r6 = 1000') : undefined;
  const [set] = breakAt(bench, own?.address ?? 0n);
  expect(set).toEqual({ id: 1, verified: true, address: own?.address, location: expect.anything() });
  expect(own?.address).toBeGreaterThan(rip(bench));
});

const TAIL_CALL = `.map jmp, prog_array, 4, 4, 2
.map_entry jmp, 1, second
	.section xdp,"ax"
	.globl first
	.type first, @function
first:
	r6 = 5
	r2 = jmp ll
	r3 = 1
	call bpf_tail_call
	r0 = XDP_ABORTED
	exit
	.size first, .-first
	.globl second
	.type second, @function
second:
	r6 = 2
again:
	r0 = XDP_TX
	r6 += -1
	if r6 != 0 goto again
	exit
	.size second, .-second
`;

test('a tail call enters behind the first breakpoint of a program: the one behind the prologue stops, once', () => {
  const [want, got] = ['reference', 'x86-64'].map((engine) => {
    const bench = Bench.load(TAIL_CALL, { engine, prog: 'first' });
    bench.breakpoints({ line: 17 });
    const report = bench.start();
    const stop = [report?.reason, bench.where(), bench.value('r6'), bench.value('r10')];
    const insns = bench.session.request('stats', null).insns;
    if (engine === 'x86-64') {
      const args = {
        reference: addressText(rip(bench)),
        offset: 0,
        instructionOffset: -1,
        count: 2,
        symbols: true,
      };
      const reply = bench.session.request('disassemble', args);
      const rows = 'rows' in reply ? reply.rows : [];
      expect(rows.map((row) => row?.symbol)).toEqual(['second: prologue', 'r6 = 2']);
    }
    return [...stop, insns, bench.to('over'), bench.to('continue'), bench.output('console')];
  });
  expect(got).toEqual(want);
});

test.each([
  ['cannot be executed', 'r0 = r9'],
  ['is another tail call', 'call bpf_tail_call'],
])('a tail call to a program whose first instruction %s', (_, first) => {
  const text = TAIL_CALL.replace('r6 = 2', first);
  const [want, got] = ['reference', 'x86-64'].map((engine) => {
    const bench = Bench.load(text, { engine, prog: 'first' });
    bench.breakpoints({ line: 17 });
    const { reason } = bench.start() ?? {};
    const stop = [reason, bench.where(), bench.session.request('stats', null).insns];
    return [...stop, bench.to('continue'), bench.to('continue'), bench.output('stderr')];
  });
  expect(got).toEqual(want);
  expect(got?.[0]).toBe('breakpoint');
});

test.each(['x86-64', 'wasm'])('%s: a line goes by its address, there and back', (engine) => {
  const bench = Bench.load(TEXT, { engine });
  const lines = [4, 6, 7, 9];
  const replies = bench.breakpoints(...lines.map((line) => ({ line })));
  const args = { offset: 0, instructionOffset: 0, count: 1, symbols: true };
  for (const [i, { address }] of replies.entries()) {
    const reply = bench.session.request('disassemble', { ...args, reference: addressText(address ?? 0n) });
    expect('rows' in reply && reply.rows[0]).toMatchObject({
      address,
      isFirst: true,
      location: { line: lines[i] },
    });
  }
  for (let stop = bench.start(); stop !== undefined; stop = bench.resume({ kind: 'continue' })) {
    const hit = replies.find(({ id }) => id === stop?.breakpoints[0]);
    expect([hit?.address, hit?.line]).toEqual([rip(bench), Number(bench.where().slice(-1))]);
  }
});

describe('lines that share an address', () => {
  test('one stop hits both where the program comes by both; a jump behind one hits the other', () => {
    const bench = load(SHARED);
    expect(bench.breakpoints({ line: 4 }, { line: 5 }).map(({ verified }) => verified)).toEqual([true, true]);
    expect(bench.start()?.breakpoints).toEqual([1, 2]);
    expect(bench.where()).toBe('main:4');
    const values: string[] = [];
    for (let report = bench.resume({ kind: 'continue' }); report !== undefined; ) {
      expect(report.breakpoints).toEqual([2]);
      values.push(`${bench.where()} ${bench.value('r0')}`);
      report = bench.resume({ kind: 'continue' });
    }
    expect(values).toEqual(['main:5 0x2', 'main:5 0x3']);
  });

  test('each by itself as with the other engines', () => {
    for (const line of [4, 5]) {
      const [want, got] = ['reference', 'x86-64'].map((engine) => {
        const bench = Bench.load(SHARED, { engine });
        bench.breakpoints({ line });
        const stops = [bench.start()?.breakpoints, bench.where(), bench.value('r0')];
        for (let next = bench.to('continue'); next !== 'end'; next = bench.to('continue')) {
          stops.push(next, bench.value('r0'));
        }
        return stops;
      });
      expect(got).toEqual(want);
    }
  });
});

/** `r0 = le64 r0` is no code in WebAssembly, but for a block's test of its flag: lines 5 to 7 begin at one address. */
const SHARED_IN_WASM = `.program raw
main:
	r0 = 1
	r0 = le64 r0
	r0 = le64 r0
	r0 = le64 r0
	r0 += 1
	if r0 < 4 goto -5
	exit
`;

describe('lines that share an address in WebAssembly', () => {
  test('one stop hits all; then the program goes on', () => {
    const bench = Bench.load(SHARED_IN_WASM, { engine: 'wasm' });
    const lines = [6, 7, 5].map((line) => ({ line }));
    const addresses = bench.breakpoints(...lines).map(({ address }) => address);
    expect(new Set(addresses).size).toBe(1);
    const stops: string[] = [];
    for (let report = bench.start(); report !== undefined; report = bench.resume({ kind: 'continue' })) {
      stops.push(`${[...report.breakpoints].sort()} ${bench.where()} ${bench.value('r0')}`);
    }
    expect(stops).toEqual(['1,2,3 main:5 0x1', '1,2,3 main:5 0x2', '1,2,3 main:5 0x3']);
  });

  test('each by itself as with the other engines; so are those of another engine', () => {
    for (const lines of [[5], [6], [7], [4, 7]]) {
      const [want, got] = ['reference', 'wasm'].map((engine) => {
        const bench = Bench.load(SHARED_IN_WASM, { engine });
        bench.breakpoints(...lines.map((line) => ({ line })));
        const stops = [bench.start()?.breakpoints, bench.where(), bench.value('r0')];
        for (let next = bench.to('continue'); next !== 'end'; next = bench.to('continue')) {
          stops.push(next, bench.value('r0'));
        }
        return stops;
      });
      expect(got).toEqual(want);
    }
    const bench = Bench.load(SHARED_IN_WASM, { engine: 'wasm' });
    bench.breakpoints({ line: 5 }, { line: 6 });
    expect(bench.start()?.breakpoints).toEqual([1, 2]);
    bench.session.request('switchEngine', { name: 'interp' });
    expect(bench.resume({ kind: 'continue' })?.breakpoints).toEqual([2]);
  });
});

describe('the Native scope', () => {
  test('registers with the BPF registers that they hold, rip and flags; read only', () => {
    const bench = load(TEXT);
    bench.breakpoints({ line: 7 });
    bench.start();
    const scopes = bench.session.request('scopes', { frame: 0 });
    expect(scopes.map(({ name }) => name)).toContain('Native');
    const rows = native(bench);
    expect(Object.keys(rows)).toHaveLength(18);
    expect(rows.rbx).toMatchObject({ value: '0x14d (333) = r6', readOnly: true });
    expect(rows.r13?.value).toBe('0x3 = r7');
    expect(rows.rip?.value).toMatch(new RegExp(`^0x${rip(bench).toString(16)} main\\+\\d+$`));
    expect(rows.flags?.type).toBe('flags');
    const edit = bench.session.request('assign', {
      target: 'rbx',
      container: { kind: 'native' },
      value: '1',
      frame: 0,
    });
    expect(edit.ok).toBe(false);
  });

  test('amid an instruction a register in use holds no BPF register', () => {
    const bench = load(TEXT);
    bench.breakpoints({ line: 6 });
    bench.start();
    while (!insnAt(bench).startsWith('div ')) step(bench);
    expect(native(bench).rax?.value).toBe('0x3e8 (1000)');
    expect(bench.value('r0')).toBe('0x0');
  });

  test('is there behind the last exit and at a fault, too', () => {
    const bench = load(TEXT);
    bench.start({ stopOnEntry: true });
    expect(bench.resume({ kind: 'out' })?.verdict).toBe('0x0');
    expect(native(bench).rax?.value).toBe('0x0 = r0');
    const faulty = load('.program raw\nmain:\n\tr6 = 5\n\tr0 = *(u64 *)(r6 + 0)\n\texit\n');
    expect(faulty.start()).toMatchObject({ reason: 'exception', fault: { kind: 'out_of_bounds' } });
    expect([faulty.where(), native(faulty).rbx?.value]).toEqual(['main:4', '0x5 = r6']);
    expect(insnAt(faulty)).toBe('mov rax, qword ptr [rbx]');
  });

  test('expressions and conditions know them', () => {
    const bench = load(TEXT);
    bench.breakpoints({ line: 8, condition: '$rbx == r6 && $rbx < 100' });
    bench.start();
    expect([bench.value('$rbx'), bench.value('r6')]).toEqual(['0x25 (37)', '0x25 (37)']);
    expect(bench.value('$rip')).toMatch(new RegExp(`^0x${rip(bench).toString(16)}`));
    expect(bench.value('$rxb')).toBe('! "$rxb" is no register, constant or map; did you mean $rbx?');
    expect(bench.session.request('assign', { target: '$rbx', value: '1', frame: 0 }).ok).toBe(false);
    const other = Bench.load(TEXT, { engine: 'interp' });
    other.start({ stopOnEntry: true });
    expect(other.value('$rbx')).toMatch(/^! \$rbx: a register of the processor/);
  });

  test.each(['reference', 'interp'])('engine %s has none', (engine) => {
    const bench = Bench.load(TEXT, { engine });
    bench.start({ stopOnEntry: true });
    expect(bench.session.request('scopes', { frame: 0 }).map(({ name }) => name)).not.toContain('Native');
  });
});

test.each(['x86-64', 'wasm'])(
  '%s: the next packet begins at the start, wherever native steps had led',
  (engine) => {
    const text = '\t.section xdp,"ax"\n\t.globl prog\nprog:\n\tr0 = XDP_PASS\n\texit\n\t.size prog, .-prog\n';
    const capture = { name: 'two.pcap', bytes: pcapOf([new Uint8Array(60), new Uint8Array(60)]) };
    const bench = Bench.load(text, { engine, capture, packets: 'all' });
    bench.breakpoints({ line: 4 });
    bench.start();
    const first = rip(bench);
    step(bench);
    expect(rip(bench)).toBeGreaterThan(first);
    expect(bench.resume({ kind: 'continue' })).toMatchObject({ reason: 'breakpoint' });
    expect([bench.where(), rip(bench)]).toEqual(['prog:4', first]);
  },
);

test('a breakpoint on the line behind the one that a native step has led into is hit', () => {
  const bench = load(TEXT);
  bench.start({ stopOnEntry: true });
  step(bench);
  bench.breakpoints({ line: 4 });
  expect(bench.resume({ kind: 'continue' })?.reason).toBe('breakpoint');
  expect(bench.where()).toBe('main:4');
});
