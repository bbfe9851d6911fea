import { expect, test } from 'vitest';
import { addressText } from '#core/session/code-address.ts';
import { ENGINE_NAMES } from '#core/session/engines.ts';
import { Bench, FILE } from './harness.ts';

/** Calls, a map, the packet, a loop, and stack in both frames. */
const TEXT = `.map hits, array, 4, 8, 4
	.section xdp,"ax"
	.globl main
	.type main, @function
main:
	r6 = *(u32 *)(r1 + 0)
	r7 = 3
again:
	*(u32 *)(r10 - 4) = r7
	r1 = r7
	call count
	r8 += r0
	*(u8 *)(r6 + 1) = r8
	r7 -= 1
	if r7 != 0 goto again
	r0 = XDP_PASS
	exit
	.size main, .-main
	.type count, @function
count:
	*(u32 *)(r10 - 8) = 1
	r2 = r10
	r2 += -8
	r1 = hits ll
	call bpf_map_lookup_elem
	if r0 == 0 goto out
	r1 = *(u64 *)(r0 + 0)
	r1 += 5
	*(u64 *)(r0 + 0) = r1
	r0 = r1
out:
	exit
	.size count, .-count
`;

const args = { data: { kind: 'builtin', name: 'tcp-syn' } } as const;

/** What a user sees of the state; addresses of native code differ from engine to engine. */
function stateOf(bench: Bench): object {
  const { session } = bench;
  const frames = session.request('frames', null).map(({ name, pc, location }) => ({ name, pc, location }));
  const { registers } = session.request('registers', { frame: 0 });
  const stack = session
    .request('stack', { frame: 0 })
    .frames.map(({ bytes, initialised }) => [bytes, initialised]);
  return { frames, registers, stack, hits: bench.value('hits[1]'), packet: bench.value('*(u64 *)(packet)') };
}

const pairs = ENGINE_NAMES.flatMap((from) => ENGINE_NAMES.map((to) => [from, to] as const));

test.each(pairs)('%s to %s and back at every stop: the whole state stays and goes on alike', (from, to) => {
  const expected = Bench.load(TEXT, args);
  const bench = Bench.load(TEXT, { ...args, engine: from });
  for (const one of [expected, bench]) one.start({ stopOnEntry: true });
  for (let stop = 0; stop < 80; stop++) {
    const name = stop % 2 === 0 ? to : from;
    const before = stateOf(bench);
    expect(bench.session.request('switchEngine', { name })).toEqual({ ok: true, engine: name });
    expect(stateOf(bench)).toEqual(before);
    expect(before).toEqual(stateOf(expected));
    const reports = [expected, bench].map((one) => one.resume({ kind: 'in', granularity: 'instruction' }));
    expect(reports[1]).toEqual(reports[0]);
    if (reports[0]?.verdict !== undefined) return;
  }
  throw new Error('no verdict');
});

test.each(pairs)('%s to %s: breakpoints hold, with their ids and counts', (from, to) => {
  const bench = Bench.load(TEXT, { ...args, engine: from });
  const [loop, other] = bench.breakpoints({ line: 13, hitCondition: '>= 2' }, { line: 27 });
  expect(bench.start()).toMatchObject({ breakpoints: [other?.id] });
  bench.session.request('switchEngine', { name: to });
  const hits = [bench.resume({ kind: 'continue' }), bench.resume({ kind: 'continue' })];
  expect(hits).toMatchObject([{ breakpoints: [other?.id] }, { breakpoints: [loop?.id] }]);
  bench.session.request('switchEngine', { name: from });
  expect(bench.resume({ kind: 'continue' })).toMatchObject({ breakpoints: [other?.id] });
  expect(bench.breakpoints({ line: 13, hitCondition: '>= 2' }, { line: 27 }).map(({ id }) => id)).toEqual([
    loop?.id,
    other?.id,
  ]);
  expect(bench.resume({ kind: 'continue' })).toMatchObject({ breakpoints: [loop?.id] });
  expect(bench.resume({ kind: 'continue' })).toBeUndefined();
  expect(bench.ended).toBe(0);
});

/** A 16-bit byte swap is two native instructions. */
const SWAP = `.program raw
main:
	r1 = 0x1234
	r1 = be16 r1
	r0 = r1
	exit
`;

test("amid a BPF instruction the state is the processor's: refused, and possible again behind it", () => {
  const bench = Bench.load(SWAP, { engine: 'x86-64' });
  bench.breakpoints({ line: 4 });
  bench.start();
  const asked = (name: string) => bench.session.request('switchEngine', { name });
  bench.resume({ kind: 'in', granularity: 'native' });
  expect(bench.where()).toBe('main:4');
  expect(asked('interp')).toEqual({
    ok: false,
    message: expect.stringMatching(/^step over once in the source first; /),
  });
  expect(bench.session.request('stats', null).engine).toBe('x86-64');
  bench.resume({ kind: 'in', granularity: 'native' });
  expect(bench.where()).toBe('main:5');
  expect(asked('interp')).toEqual({ ok: true, engine: 'interp' });
  expect(bench.value('r1')).toMatch(/^0x3412\b/);
});

test('a breakpoint on a native instruction goes to its BPF instruction and back with the engine', () => {
  const bench = Bench.load(SWAP, { engine: 'x86-64' });
  bench.start({ stopOnEntry: true });
  const { session } = bench;
  const reference = addressText(session.request('frames', null)[0]?.address ?? 0n);
  const rows = session.request('disassemble', {
    reference,
    offset: 0,
    instructionOffset: 0,
    count: 20,
    symbols: true,
  });
  const swap = 'rows' in rows ? rows.rows.filter((row) => row?.symbol === 'r1 = be16 r1') : [];
  expect(swap).toHaveLength(2);
  const offset = Number((swap[1]?.address ?? 0n) - BigInt(reference));
  const wanted = { breakpoints: [{ reference, offset }] };
  const [set] = session.request('setInstructionBreakpoints', wanted);
  expect(set).toMatchObject({ verified: true, address: swap[1]?.address });
  session.request('switchEngine', { name: 'interp' });
  const [moved] = session.request('setInstructionBreakpoints', wanted);
  expect(moved).toMatchObject({ id: set?.id, verified: true, message: expect.stringMatching(/interp/) });
  session.request('switchEngine', { name: 'x86-64' });
  const [back] = session.request('setInstructionBreakpoints', wanted);
  expect(back).toEqual(set);
  expect(bench.resume({ kind: 'continue' })).toMatchObject({
    reason: 'instruction breakpoint',
    breakpoints: [set?.id],
  });
  expect(session.request('frames', null)[0]?.address).toBe(swap[1]?.address);
});

const ENDS = `.program raw
main:
	call deep
	exit
deep:
	r1 = 0
	r0 = *(u32 *)(r1 + 4)
	exit
`;

test.each(pairs)('%s to %s at a fault, and at the verdict', (from, to) => {
  const bench = Bench.load(ENDS, { engine: from });
  expect(bench.start()?.fault?.kind).toBe('out_of_bounds');
  const before = stateOf(bench);
  expect(bench.session.request('switchEngine', { name: to })).toEqual({ ok: true, engine: to });
  expect(stateOf(bench)).toEqual(before);
  expect(bench.resume({ kind: 'continue' })).toBeUndefined();

  const other = Bench.load(SWAP, { engine: from });
  other.start({ stopOnEntry: true });
  for (let step = 0; step < 3; step++) other.resume({ kind: 'over', granularity: 'line' });
  expect(other.resume({ kind: 'over', granularity: 'line' })?.verdict).toBeDefined();
  expect(other.session.request('switchEngine', { name: to })).toEqual({ ok: true, engine: to });
  expect(other.value('r0')).toMatch(/^0x3412\b/);
  expect(other.where()).toBe('main:6');
  expect(other.resume({ kind: 'continue' })).toBeUndefined();
  expect(other.ended).toBe(0);
});

test.each(pairs)('%s to %s: amid a classic program', (from, to) => {
  const bench = Bench.load('\tldh [12]\n\tjne #0x806, drop\n\tret #-1\ndrop:\tret #0\n', {
    engine: from,
    fileName: FILE.replace('.bpf.s', '.cbpf'),
    data: { kind: 'hex', text: '00'.repeat(60) },
  });
  bench.start({ stopOnEntry: true });
  expect(bench.session.request('switchEngine', { name: to })).toEqual({ ok: true, engine: to });
  const step = () => bench.resume({ kind: 'over', granularity: 'line' });
  expect([step(), step()].map((report) => report?.reason)).toEqual(['step', 'step']);
  expect(bench.session.request('frames', null)[0]?.pc).toBe(3);
  bench.session.request('switchEngine', { name: from });
  expect(step()?.verdict).toBeDefined();
});

test('what cannot be is refused with a reason, and the engine stays', () => {
  const bench = Bench.load(TEXT, args);
  const engine = () => bench.session.request('stats', null).engine;
  const asked = (name: string) => bench.session.request('switchEngine', { name });
  expect(asked('wasm')).toEqual({ ok: false, message: 'the program is running; pause it first' });
  bench.start({ stopOnEntry: true });
  expect(asked('qemu')).toEqual({
    ok: false,
    message: 'there is no engine "qemu"; the engines are reference, interp, wasm, x86-64',
  });
  expect(bench.session.request('switchEngine', {})).toEqual({ ok: true, engine: 'interp' });
  expect(engine()).toBe('interp');
  expect(asked('reference')).toEqual({ ok: true, engine: 'reference' });
  expect(engine()).toBe('reference');

  const compared = Bench.load(TEXT, { ...args, lockstep: 'reference' });
  compared.start({ stopOnEntry: true });
  expect(compared.session.request('switchEngine', { name: 'wasm' })).toEqual({ ok: true, engine: 'wasm' });
});
