import { describe, expect, test } from 'vitest';
import { MAX_FUNCTION_OPS } from '#core/jit/wasm/compile.ts';
import { nativeCodeOf } from '#core/session/native-code.ts';
import { Bench, loadedOf } from './harness.ts';
import { tailCallTo } from './programs.ts';

/** May loop as long as it takes: its count lies below the 512 bytes of stack, which machine code has no room for. */
const DEEP = `	*(u64 *)(r10 - 512) = 1
	r0 = XDP_TX
again:
	may_goto out
	goto again
out:
	exit
`;

const alone = `.program xdp\nmain:\n${DEEP}`;

/** The second is reached by a tail call, and refused. */
const array = tailCallTo(DEEP);

const tooLong = `.program xdp\nmain:\nr0 = 2\n${'r0 += 0\n'.repeat(MAX_FUNCTION_OPS)}exit\n`;
const why = 'function 0 needs a stack depth from 0 to 512, not 528';

const data = { kind: 'builtin', name: 'tcp-syn' } as const;

describe('what an engine cannot compile', () => {
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
    const text = array.replace(DEEP, '\tr0 = XDP_TX\n\texit\n');
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
