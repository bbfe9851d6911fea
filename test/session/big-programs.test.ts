import { expect, test } from 'vitest';
import { MAX_FUNCTION_OPS } from '#core/jit/wasm/compile.ts';
import { ENGINES } from '#core/session/engines.ts';
import { Bench } from './harness.ts';

/** More than the engine `wasm` compiles in one function. */
const N = 2 * MAX_FUNCTION_OPS;
/** Instructions of the loop at the end, and the line of its first. */
const LOOP = 4;
const LINE = N - LOOP + 3;
const TEXT = `.program raw
main:
r0 = 0
${'r0 += 3\n'.repeat(N - LOOP - 1)}r0 ^= 1
r0 += 1
if r0 == 7 goto +0
exit
`;
const data = { kind: 'hex', text: '00' } as const;

test.each(ENGINES)(
  '$name: a program of 100,000 instructions is loaded, stopped in, stepped and looked at',
  ({ name }) => {
    const bench = Bench.load(TEXT, { engine: name, data });
    expect(bench.breakpoints({ line: LINE })).toMatchObject([{ verified: true, line: LINE }]);
    expect(bench.start()).toMatchObject({ reason: 'breakpoint' });
    const sum = BigInt(3 * (N - LOOP - 1));
    const r0 = (): string | undefined =>
      bench.session.request('registers', { frame: 0 }).registers.find((register) => register.name === 'r0')
        ?.value;
    const hex = (value: bigint): string => `0x${value.toString(16).padStart(16, '0')}`;
    expect(r0()).toBe(hex(sum));
    bench.resume({ kind: 'over', granularity: 'line' });
    expect(r0()).toBe(hex(sum ^ 1n));
    const [frame] = bench.session.request('frames', null);
    expect(frame?.location?.line).toBe(LINE + 1);
    const reference = `0x${(frame?.address ?? 0n).toString(16)}`;
    const around = { reference, offset: 0, instructionOffset: -50, count: 54, symbols: true };
    const rows = bench.session.request('disassemble', around);
    expect('rows' in rows && rows.rows[50]?.location?.line).toBe(LINE + 1);
    const text = bench.session.request('programText', { start: N - 100, count: 100 });
    expect(JSON.stringify(text)).toContain('r0 ^= 1');
    bench.breakpoints();
    bench.resume({ kind: 'continue' });
    const verdict = bench.events.find(
      (event) => event.kind === 'output' && event.text.includes('packet 1/1'),
    );
    expect(verdict).toMatchObject({ text: expect.stringContaining(`${N} instructions`) });
  },
);
