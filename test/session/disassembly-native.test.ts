import { describe, expect, test } from 'vitest';
import { addressText } from '#core/session/code-address.ts';
import { nativeInsnAt } from '#core/session/disassembly-native.ts';
import { nativeCodeOf } from '#core/session/native-code.ts';
import type { DisassembledRow } from '#core/session/target-rows.ts';
import { Bench, loadedOf } from './harness.ts';
import { tailCallTo } from './programs.ts';

/** Two programs, the second reached by a tail call. */
const TWO = tailCallTo(`	call leaf
	exit
	.size second, .-second
	.type leaf, @function
leaf:
	r0 = XDP_TX
	exit
	.size leaf, .-leaf
`);

function started(engine: string): Bench {
  const bench = Bench.load(TWO, { engine, prog: 'first' });
  bench.start({ stopOnEntry: true });
  return bench;
}

const pointers = (bench: Bench): string[] =>
  bench.session.request('frames', null).map(({ address }) => addressText(address));

function rowsAt(bench: Bench, reference: string, { offset = 0, instructionOffset = 0, count = 1 } = {}) {
  const args = { reference, offset, instructionOffset, count, symbols: true };
  const reply = bench.session.request('disassemble', args);
  if ('message' in reply) throw new Error(reply.message);
  return reply.rows;
}

const real = (rows: readonly (DisassembledRow | null)[]) => rows.filter((row) => row !== null);

describe.each(['x86-64', 'wasm'])('%s', (engine) => {
  test('every window shows the same rows; offsets lead into other programs, rows do not', () => {
    const bench = started(engine);
    const first = pointers(bench)[0] ?? '';
    bench.breakpoints({ line: 22 });
    bench.resume({ kind: 'continue' });
    expect(bench.where()).toBe('leaf:22 < second:16');
    const [leaf = '', second = ''] = pointers(bench);
    const all = rowsAt(bench, first, { instructionOffset: -400, count: 1200 });
    const own = real(all);
    expect(own.map(({ symbol }) => symbol)).not.toContain('call leaf');
    expect(all.slice(0, 1)).toEqual([null]);
    expect(all.slice(-1)).toEqual([null]);
    const at = all.findIndex((row) => row?.address === BigInt(first));
    for (const [instructionOffset, count] of [
      [-7, 3],
      [0, 5],
      [own.length - 2, 9],
      [-600, 4],
    ] as const) {
      const window = rowsAt(bench, first, { instructionOffset, count });
      const from = at + instructionOffset;
      expect(window).toEqual(from < 0 ? [null, null, null, null] : all.slice(from, from + count));
    }
    // amid an instruction
    const long = own.find(({ bytes }) => bytes.length > 2);
    const middle = Number((long?.address ?? 0n) - BigInt(first)) + 1;
    expect(rowsAt(bench, first, { offset: middle })).toEqual([long]);
    const distance = Number(BigInt(leaf) - BigInt(first));
    expect(rowsAt(bench, first, { offset: distance, count: 4 })).toEqual(rowsAt(bench, leaf, { count: 4 }));
    expect(
      real(rowsAt(bench, leaf, { instructionOffset: -400, count: 800 })).map(({ symbol }) => symbol),
    ).toContain('call leaf');
    // an outer frame: behind the call, or at it where hosts name it
    const [before, here] = rowsAt(bench, second, { instructionOffset: -1, count: 2 });
    expect((engine === 'x86-64' ? before : here)?.symbol).toBe('call leaf');
  });

  test('bytes are those of the code without breakpoints, and cannot be written', () => {
    const bench = started(engine);
    const reference = pointers(bench)[0] ?? '';
    const read = () => bench.session.request('readMemory', { reference, offset: 0, count: 12 });
    const before = read();
    const rows = real(rowsAt(bench, reference, { count: 12 }));
    bench.session.request('setInstructionBreakpoints', {
      breakpoints: rows.slice(0, 6).map(({ address }) => ({ reference: addressText(address), offset: 0 })),
    });
    expect(read()).toEqual(before);
    expect('bytes' in before && [...before.bytes]).toEqual(
      rows.flatMap(({ bytes }) => [...bytes]).slice(0, 12),
    );
    const bytes = new Uint8Array(1);
    expect(
      bench.session.request('writeMemory', { reference, offset: 0, bytes, allowPartial: false }),
    ).toEqual({ message: 'instructions cannot be changed while the program is loaded' });
  });

  test.each([
    ['behind the code', 0x80000, /has no instruction there$|no instructions at/],
    ['amid an instruction', 1, /^this is amid an instruction, which begins at 0xffffffff/],
  ])('a breakpoint %s is refused', (_, offset, message) => {
    const bench = started(engine);
    const reference = addressText(
      real(rowsAt(bench, pointers(bench)[0] ?? '', { count: 8 })).find(({ bytes }) => bytes.length > 1)
        ?.address ?? 0n,
    );
    const [reply] = bench.session.request('setInstructionBreakpoints', {
      breakpoints: [{ reference, offset }],
    });
    expect(reply).toMatchObject({ verified: false, message: expect.stringMatching(message) });
  });
});

test('x86-64: a patched row is known as one', () => {
  const { loaded } = loadedOf(TWO, { engine: 'x86-64', prog: 'first' });
  const code = nativeCodeOf(loaded, loaded.main);
  if ('message' in code) throw new Error(code.message);
  const row = code.rowAt(code.addressOf(2) ?? 0n);
  expect(code.isPatched?.(row)).toBe(false);
  loaded.main.prog.breakpoints.set(2, 1);
  expect(code.isPatched?.(row)).toBe(true);
  expect(code.isPatched?.(row + 1)).toBe(false);
  expect(code.bytes(row)[0]).not.toBe(0xcc);
});

test('wasm: what the compiler has added belongs to no instruction', () => {
  const { loaded } = loadedOf(TWO, { engine: 'wasm', prog: 'second' });
  const code = nativeCodeOf(loaded, loaded.main);
  if ('message' in code) throw new Error(code.message);
  const added = code.funcs.find(({ start }) => start < 0);
  expect(added?.name).toMatch(/^[a-z]+$/);
  expect(nativeInsnAt(loaded, added?.address ?? 0n, 0)).toEqual({
    message: `${added?.name} is the compiler's: no instruction of the program is there`,
  });
});

/** A loop, whose head looks whether instructions are left. */
const LOOP = `.program raw
main:
	r0 = 0
again:
	r0 += 1
	if r0 != 9 goto again
	exit
`;

test('wasm: check points and endings are neither prologue nor instruction, and stand in no line', () => {
  const bench = Bench.load(LOOP, { engine: 'wasm' });
  bench.start({ stopOnEntry: true });
  const rows = real(rowsAt(bench, pointers(bench)[0] ?? '', { instructionOffset: -500, count: 2000 }));
  const symbols = [...new Set(rows.map(({ symbol }) => symbol))];
  expect(symbols.filter((symbol) => symbol.includes(':'))).toEqual([
    'main: prologue',
    'main: check point',
    'main: epilogue',
  ]);
  const between = rows.filter(({ symbol }) => /: (?:check point|epilogue)$/.test(symbol));
  expect(between.map(({ location }) => location).filter((location) => location !== undefined)).toEqual([]);
  const [reply] = bench.session.request('setInstructionBreakpoints', {
    breakpoints: [{ reference: addressText(between[0]?.address ?? 0n), offset: 0 }],
  });
  expect(reply).toMatchObject({
    verified: false,
    message: "main: check point is the compiler's: no instruction of the program is there",
  });
});
