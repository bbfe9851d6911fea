import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { MAX_FUNCTION_OPS } from '#core/jit/wasm/compile.ts';
import { LOWER } from '#core/jit/x86-64/lower.ts';
import { unsupported } from '#core/jit/x86-64/unsupported.ts';
import { nativeCodeOf } from '#core/session/native-code.ts';
import { Bench, loadedOf } from './harness.ts';
import { tailCallTo } from './programs.ts';

/** What the compiler to machine code is made to refuse: of what can be loaded it refuses next to nothing by itself. */
const REFUSED = `	r0 = XDP_TX
	r0 = bswap16 r0
	r0 = bswap16 r0
	exit
`;

const alone = `.program xdp\nmain:\n${REFUSED}`;

/** The second is reached by a tail call, and refused. */
const array = tailCallTo(REFUSED);

const tooLong = `.program xdp\nmain:\nr0 = 2\n${'r0 += 0\n'.repeat(MAX_FUNCTION_OPS)}exit\n`;
const why = 'instruction 1: bswap16 has no machine code: it is rewritten at load';

const data = { kind: 'builtin', name: 'tcp-syn' } as const;

describe('what an engine cannot compile', () => {
  beforeEach(() => {
    vi.spyOn(LOWER, 'bswap16').mockImplementation(unsupported('bswap16'));
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  test.each([
    ['x86-64', 'reference', alone, `main: ${why}; reference executes it`],
    ['x86-64', 'reference', array, `second: ${why}; reference executes all programs of this session`],
    ['wasm', 'interp', tooLong, expect.stringMatching(/^main, .*too long; .*; interp executes it$/)],
  ])(
    '%s: %s runs instead, one line says why, no native code is offered',
    (engine, instead, text, message) => {
      const { loaded, messages } = loadedOf(text, {
        engine,
        data,
        ...(text === array ? { prog: 'first' } : {}),
      });
      const told = messages.filter((one) => one.startsWith('engine '));
      expect(told.map((one) => one.slice(`engine ${engine}: `.length))).toEqual([message]);
      expect(loaded.engine.name).toBe(instead);
      expect([...loaded.programs.values()].map(({ prog }) => prog.jited)).not.toContain(true);
      expect(nativeCodeOf(loaded, loaded.main)).toEqual({
        message: `the engine ${instead} executes no native code`,
      });
    },
  );

  test('programs of a program array that are compiled all tail-call each other', () => {
    const text = array.replace(REFUSED, '\tr0 = XDP_TX\n\texit\n');
    for (const engine of ['x86-64', 'wasm']) {
      const bench = Bench.load(text, { engine, prog: 'first' });
      bench.start();
      expect(bench.output('console')).toContain('XDP_TX');
      const { programs } = Bench.load(text, { engine, prog: 'first' }).session.request('stats', null);
      expect(programs.map(({ object }) => object.jited)).toEqual([true, true]);
    }
  });

  test('it cannot be switched to either; the reason is the same', () => {
    const bench = Bench.load(alone);
    bench.start({ stopOnEntry: true });
    expect(bench.session.request('switchEngine', { name: 'x86-64' })).toEqual({
      ok: false,
      message: `x86-64 cannot execute this: main: ${why}`,
    });
    expect(bench.to('in')).toBe('main:4');
  });
});

describe.each(['reference', 'interp', 'wasm', 'x86-64'])('without line info, on %s', (engine) => {
  const hex = 'b700000002000000 0700000001000000 9500000000000000';
  const fileName = '/work/two.hex';

  test('breakpoints on lines are refused with what works instead; by address they work', () => {
    const bench = Bench.load(hex, { engine, fileName });
    const [line] = bench.session.request('setBreakpoints', { file: fileName, breakpoints: [{ line: 1 }] });
    expect(line).toMatchObject({
      verified: false,
      message: 'two.hex has no line info: set breakpoints on instructions, in the Disassembly view',
    });
    bench.start({ stopOnEntry: true });
    const [frame] = bench.session.request('frames', null);
    expect(frame).toMatchObject({ location: undefined, pc: 0 });
    const reference = `0x${(frame?.address ?? 0n).toString(16).padStart(16, '0')}`;
    const reply = bench.session.request('disassemble', {
      reference,
      offset: 0,
      instructionOffset: 0,
      count: 400,
      symbols: true,
    });
    if ('message' in reply) throw new Error(reply.message);
    const row = reply.rows.find((one) => [one?.symbol, one?.text].includes('r0 += 1'));
    const offset = Number((row?.address ?? 0n) - BigInt(reference));
    const [set] = bench.session.request('setInstructionBreakpoints', {
      breakpoints: [{ reference, offset }],
    });
    expect(set).toMatchObject({ verified: true, address: row?.address });
    expect(bench.resume({ kind: 'continue' })).toMatchObject({ breakpoints: [set?.id] });
    expect(bench.session.request('frames', null)[0]).toMatchObject({ pc: 1, address: row?.address });
    expect(bench.resume({ kind: 'over', granularity: 'line' })?.reason).toBe('step');
    expect(bench.session.request('frames', null)[0]?.pc).toBe(2);
  });
});
