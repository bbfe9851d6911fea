import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addressText, bpfAddress, bpfPlace, referenceAddress } from '#core/session/code-address.ts';
import type { DisassembledRow } from '#core/session/target-rows.ts';
import { Bench, FILE } from './harness.ts';
import { tailCallTo } from './programs.ts';

/** Two programs, the second reached by a tail call; slots 0 and 1 of the first are one instruction. */
const TWO = tailCallTo('\tr0 = XDP_TX\n\texit\n');

/** The first context access is rewritten, the second instruction of the line's loop is passed often. */
const LOOP = `	.section xdp,"ax"
	.globl main
	.type main, @function
main:
	r6 = *(u32 *)(r1 + 16)
	r6 = 5
again:	r6 += -1; if r6 != 0 goto again
	call leaf
	exit
	.size main, .-main
	.type leaf, @function
leaf:
	r0 = XDP_PASS
	exit
	.size leaf, .-leaf
`;

const CLASSIC = `	ldh [12]
	jne #0x806, drop
	ret #-1
drop:	ret #0
`;

function rowsAt(
  bench: Bench,
  reference: string,
  { offset = 0, instructionOffset = 0, count = 1, symbols = true } = {},
): readonly (DisassembledRow | null)[] {
  const reply = bench.session.request('disassemble', {
    reference,
    offset,
    instructionOffset,
    count,
    symbols,
  });
  if ('message' in reply) throw new Error(reply.message);
  return reply.rows;
}

const pointer = (bench: Bench, frame = 0): string =>
  addressText(bench.session.request('frames', null)[frame]?.address ?? 0n);

const breakAt = (bench: Bench, reference: string, ...more: { offset: number; [key: string]: unknown }[]) =>
  bench.session.request('setInstructionBreakpoints', {
    breakpoints: more.map((one) => ({ reference, ...one })),
  });

const texts = (rows: readonly (DisassembledRow | null)[]) => rows.map((row) => row?.text ?? null);

function started(source: string, args = {}): Bench {
  const bench = Bench.load(source, args);
  bench.start({ stopOnEntry: true });
  return bench;
}

describe('addresses', () => {
  test('a place and its address are the same thing, and no canonical x86-64 address is one', () => {
    const place = fc.record({
      progId: fc.integer({ min: 0, max: 2 ** 24 - 1 }),
      offset: fc.integer({ min: 0, max: 2 ** 24 - 1 }),
    });
    fc.assert(
      fc.property(place, (one) => {
        const address = bpfAddress(one.progId, one.offset);
        expect(bpfPlace(address)).toEqual(one);
        expect(referenceAddress(addressText(address))).toBe(address);
        expect(BigInt.asUintN(64, BigInt.asIntN(48, address))).not.toBe(address);
      }),
      { seed: 41 },
    );
  });

  test.each(['', '0x', 'packet', '0x12345678901234567', '-0x1', '12'])('%j is none', (text) => {
    expect(referenceAddress(text)).toBeUndefined();
  });

  test.each([0n, 0xffff_ffff_c000_0000n, 0xffff_8800_0000_0000n, 0x2an])(
    '%d is of no BPF space',
    (address) => {
      expect(bpfPlace(address)).toBeUndefined();
    },
  );
});

describe('rows', () => {
  test('are the instructions as loaded, with bytes, function and place in the source', () => {
    const bench = started(LOOP);
    const base = referenceAddress(pointer(bench)) ?? 0n;
    const rows = rowsAt(bench, pointer(bench), { count: 9 });
    expect(rows.map((row) => row && [Number(row.address - base), row.symbol, row.location?.line])).toEqual([
      [0, 'main', 5],
      [8, 'main', 6],
      [16, 'main', 7],
      [24, 'main', 7],
      [32, 'main', 8],
      [40, 'main', 9],
      [48, 'leaf', 13],
      [56, 'leaf', 14],
      null,
    ]);
    expect(texts(rows).slice(0, 6)).toEqual([
      'r6 = *(u32 *)(r1 + 16)',
      'r6 = 5',
      'r6 += -1',
      'if r6 != 0 goto -2',
      'call leaf',
      'exit',
    ]);
    expect([...(rows[1]?.bytes ?? [])]).toEqual([0xb7, 6, 0, 0, 5, 0, 0, 0]);
    expect(texts(rowsAt(bench, pointer(bench), { instructionOffset: 4, symbols: false }))).toEqual([
      'call pc+1',
    ]);
  });

  test('a wide instruction is one row of 16 bytes, and a place amid it is that row', () => {
    const bench = started(TWO, { prog: 'first' });
    const rows = rowsAt(bench, pointer(bench), { offset: 8, instructionOffset: -1, count: 4 });
    expect(texts(rows)).toEqual([null, 'r2 = map_fd(jmp) ll', 'r3 = 1', 'call bpf_tail_call']);
    expect(rows.map((row) => row?.bytes.length)).toEqual([undefined, 16, 8, 8]);
    expect((rows[2]?.address ?? 0n) - (rows[1]?.address ?? 0n)).toBe(16n);
  });

  test('programs have addresses of their own, and an offset leads from one to the other', () => {
    const bench = started(TWO, { prog: 'first' });
    const first = pointer(bench);
    bench.resume({ kind: 'over', granularity: 'instruction' });
    bench.resume({ kind: 'over', granularity: 'instruction' });
    bench.resume({ kind: 'over', granularity: 'instruction' });
    const second = pointer(bench);
    expect(rowsAt(bench, second)[0]).toMatchObject({
      text: 'r0 = 3',
      symbol: 'second',
      location: { line: 16 },
    });
    const distance = Number(BigInt(second) - BigInt(first));
    expect(distance).toBeGreaterThan(48);
    expect(rowsAt(bench, first, { offset: distance, count: 3 })).toEqual(rowsAt(bench, second, { count: 3 }));
    // the other program is not what follows
    expect(texts(rowsAt(bench, first, { instructionOffset: 4, count: 3 }))).toEqual(['exit', null, null]);
  });

  test.each([
    ['far before', -(2 ** 40), 0],
    ['far behind', 2 ** 40, 0],
    ['many instructions before', 0, -(2 ** 40)],
    ['many instructions behind', 0, 2 ** 40],
  ])('%s the program nothing is, and the count is kept', (_, offset, instructionOffset) => {
    const bench = started(LOOP);
    const rows = rowsAt(bench, pointer(bench), { offset, instructionOffset, count: 5 });
    expect(rows).toEqual([null, null, null, null, null]);
  });

  test('every window on a program shows the same rows (seed 42)', () => {
    const bench = started(TWO, { prog: 'first' });
    const all = rowsAt(bench, pointer(bench), { instructionOffset: -20, count: 80 });
    const window = fc.record({
      from: fc.integer({ min: -8, max: 12 }),
      instructionOffset: fc.integer({ min: -12, max: 12 }),
      count: fc.integer({ min: 0, max: 20 }),
    });
    fc.assert(
      fc.property(window, ({ from, instructionOffset, count }) => {
        // before the program and behind its 6 slots, places count 8 bytes; slots 0 and 1 are one row
        const row = from <= 0 ? from : from - 1;
        const start = 20 + row + instructionOffset;
        fc.pre(start >= 0);
        const got = rowsAt(bench, pointer(bench), { offset: from * 8, instructionOffset, count });
        expect(got).toEqual(all.slice(start, start + count));
      }),
      { seed: 42 },
    );
  });

  test('a program that is not there has no rows; an address of nothing is told', () => {
    const bench = started(LOOP);
    expect(rowsAt(bench, addressText(bpfAddress(999, 0)), { count: 2 })).toEqual([null, null]);
    const args = {
      reference: '0xffffffffc0000000',
      offset: 0,
      instructionOffset: 0,
      count: 1,
      symbols: true,
    };
    expect(bench.session.request('disassemble', args)).toEqual({
      message: 'there are no instructions at 0xffffffffc0000000 (any more)',
    });
  });

  test('of a classic program in its own text are classic instructions', () => {
    const bench = started(CLASSIC, { fileName: FILE.replace('.bpf.s', '.cbpf') });
    const rows = rowsAt(bench, pointer(bench), { instructionOffset: -1, count: 6 });
    expect(texts(rows)).toEqual([
      null,
      '(000) ldh [12]',
      '(001) jeq #0x806 jt 2 jf 3',
      '(002) ret #-1',
      '(003) ret #0',
      null,
    ]);
    expect(rows.map((row) => row?.location?.line)).toEqual([undefined, 1, 2, 3, 4, undefined]);
    expect([...(rows[1]?.bytes ?? [])]).toEqual([0x28, 0, 0, 0, 12, 0, 0, 0]);
    bench.resume({ kind: 'over', granularity: 'instruction' });
    expect(rowsAt(bench, pointer(bench))[0]?.text).toBe('(001) jeq #0x806 jt 2 jf 3');
  });

  test('of a classic program as eBPF are what it is converted to, in the converted text', () => {
    const bench = started(CLASSIC, { fileName: FILE.replace('.bpf.s', '.cbpf'), view: 'ebpf' });
    const rows = rowsAt(bench, pointer(bench), { count: 64 }).filter((row) => row !== null);
    expect(rows.length).toBeGreaterThan(4);
    expect(rows.at(-1)?.text).toBe('exit');
    const [frame] = bench.session.request('frames', null);
    expect(rows[0]?.location).toEqual(frame?.location);
  });

  test('the bytes of instructions can be read as memory, not written', () => {
    const bench = started(LOOP);
    const reference = pointer(bench);
    const read = bench.session.request('readMemory', { reference, offset: 6, count: 100 });
    expect(read).toMatchObject({ address: BigInt(reference) + 6n, unreadable: 100 - 58 });
    expect('bytes' in read ? [...read.bytes.slice(2, 10)] : []).toEqual([0xb7, 6, 0, 0, 5, 0, 0, 0]);
    const bytes = new Uint8Array(1);
    expect(
      bench.session.request('writeMemory', { reference, offset: 0, bytes, allowPartial: false }),
    ).toEqual({ message: 'instructions cannot be changed while the program is loaded' });
  });
});

describe('breakpoints by address', () => {
  test.each(['reference', 'interp'])('on %s: bind, stop each time, told from those on lines', (engine) => {
    const bench = started(LOOP, { engine });
    const reference = pointer(bench);
    const [line] = bench.breakpoints({ line: 13 });
    const [loop, leaf] = breakAt(bench, reference, { offset: 24 }, { offset: 48 });
    expect(loop).toMatchObject({
      verified: true,
      address: BigInt(reference) + 24n,
      location: { line: 7 },
    });
    for (let round = 0; round < 5; round++) {
      expect(bench.resume({ kind: 'continue' })).toMatchObject({
        reason: 'instruction breakpoint',
        breakpoints: [loop?.id],
      });
      expect(pointer(bench)).toBe(addressText(BigInt(reference) + 24n));
    }
    expect(bench.resume({ kind: 'continue' })).toMatchObject({
      reason: 'breakpoint',
      breakpoints: [line?.id, leaf?.id],
    });
    expect(pointer(bench, 1)).toBe(addressText(BigInt(reference) + 32n));
  });

  test('on a rewritten context access stops before it is rewritten', () => {
    const bench = Bench.load(LOOP);
    const reference = addressText(bpfAddress(1, 0));
    const probe = rowsAt(bench, reference)[0];
    expect(probe?.text).toBe('r6 = *(u32 *)(r1 + 16)');
    const [first, second] = breakAt(bench, reference, { offset: 0 }, { offset: 8 });
    expect(bench.start()).toMatchObject({ reason: 'instruction breakpoint', breakpoints: [first?.id] });
    expect(bench.resume({ kind: 'continue' })).toMatchObject({ breakpoints: [second?.id] });
  });

  test('in the program of a tail call, by an offset from the caller', () => {
    const bench = started(TWO, { prog: 'first' });
    const first = pointer(bench);
    const inSecond = bpfAddress(2, 8);
    const [reply] = breakAt(bench, first, { offset: Number(inSecond - BigInt(first)) });
    expect(reply).toMatchObject({ verified: true, address: inSecond });
    bench.resume({ kind: 'continue' });
    expect(bench.where()).toBe('second:17');
    expect(pointer(bench)).toBe(addressText(inSecond));
  });

  test('conditions and hit counts as everywhere; what stays keeps id and count', () => {
    const bench = started(LOOP);
    const reference = pointer(bench);
    const wanted = { offset: 24, condition: 'r6 < 4', hitCondition: '2' };
    const [before] = breakAt(bench, reference, wanted);
    const [after, other] = breakAt(bench, reference, wanted, { offset: 40 });
    expect(after?.id).toBe(before?.id);
    expect(bench.resume({ kind: 'continue' })).toMatchObject({ breakpoints: [before?.id] });
    expect(bench.value('r6')).toBe('0x2');
    expect(bench.resume({ kind: 'continue' })).toMatchObject({ breakpoints: [other?.id] });
    breakAt(bench, reference);
    expect(bench.resume({ kind: 'continue' })).toBeUndefined();
  });

  test.each(['reference', 'interp'])('on %s: of a classic program stops at its instruction', (engine) => {
    const data = { kind: 'hex', text: '00'.repeat(60) } as const;
    const bench = started(CLASSIC, { fileName: FILE.replace('.bpf.s', '.cbpf'), data, engine });
    const [reply] = breakAt(bench, pointer(bench), { offset: 24 });
    expect(reply).toMatchObject({ verified: true, location: { line: 4 } });
    expect(bench.resume({ kind: 'continue' })).toMatchObject({ breakpoints: [reply?.id] });
    expect(bench.session.request('frames', null)[0]?.pc).toBe(3);
  });

  test.each([
    ['amid a wide instruction', 8, {}, /^this is amid an instruction, which begins at 0x0bbf000001000000$/],
    ['amid a slot', 17, {}, /^this is amid an instruction, which begins at 0x0bbf000001000010$/],
    ['behind the program', 0x1000, {}, /^first has no instruction there$/],
    ['before the program', -8, {}, /^first has no instruction there$/],
    ['with a wrong condition', 16, { condition: 'r6 +' }, /^condition: /],
    ['with a wrong hit count', 16, { hitCondition: 'often' }, /^hit count "often" is not understood/],
  ])('%s is refused', (_, offset, texts, message) => {
    const bench = started(TWO, { prog: 'first' });
    const [reply] = breakAt(bench, addressText(bpfAddress(1, 0)), { offset, ...texts });
    expect(reply).toEqual({
      id: expect.any(Number),
      verified: false,
      message: expect.stringMatching(message),
    });
  });
});
