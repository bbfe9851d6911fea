import { afterEach, describe, expect, test } from 'vitest';
import { interp } from '#core/interp-wasm/interp.ts';
import { wasm } from '#core/jit/wasm/engine.ts';
import { loadSession } from '#core/session/load-session.ts';
import type { Loaded } from '#core/session/loaded.ts';
import { runLockstep } from '#core/session/lockstep/run.ts';
import { OP } from '#core/wasm/opcodes.ts';

/** A loop of several blocks and a call: compiled code is entered at some places, and interpreted for short runs. */
const PROGRAM = `.program raw
main:
	r6 = 5000
	r0 = 0
	r1 = 7
	r2 = 0
next:	r0 += r1
	r2 ^= r0
	r2 <<= 3
	r1 *= 13
	r0 ^= r1
	*(u64 *)(r10 - 8) = r0
	r3 = *(u32 *)(r10 - 6)
	if r3 s> 0x40000000 goto pos
	r1 -= r3
pos:	r0 += r3
	call f
	r6 += -1
	if r6 != 0 goto next
	exit
f:	r4 = r1
	r4 s>>= 5
	r1 |= r4
	r2 = 0
	r3 = 0
	r0 = r4
	exit
`;

const codes = OP as unknown as Record<keyof typeof OP, number>;
const right = { ...OP };

afterEach(() => {
  Object.assign(codes, right);
});

function load(): Loaded {
  const source = new TextEncoder().encode(PROGRAM);
  const loaded = loadSession({ fileName: '/x.bpf.s', source }, false);
  if (!loaded.ok) throw new Error(loaded.problem.message);
  return loaded.loaded;
}

describe('a mistake in the compiler to WebAssembly, which steps would not show', () => {
  test.each([
    ['i64_mul', 'i64_xor', 'r1 *= 13'],
    ['i64_shl', 'i64_rotl', 'r2 <<= 3'],
    ['i64_xor', 'i64_or', 'r0 ^= r1'],
    ['i64_gt_s', 'i64_lt_s', 'if r3 s> 1073741824 goto +1'],
  ] as const)('%s written as %s', (name, instead, insn) => {
    codes[name] = right[instead];
    const { difference } = runLockstep(load(), load, wasm, { first: interp });
    expect(difference?.text.join('\n')).toContain(insn);
    expect(difference?.insn).toBe(insn);
  });

  test('where what it made is only seen later, the code that it is in is told', () => {
    codes.i64_shr_s = right.i64_shr_u;
    const { difference } = runLockstep(load(), load, wasm, { first: interp });
    // In `f`, from its first instruction to its `exit`; R1 to R5 are lost behind that.
    expect(difference).toMatchObject({ certainty: 'likely', insn: 'r0 = r4', differences: [{ name: 'r0' }] });
    const { executed = 0, sameAt = 0, differsAt = 0 } = difference ?? {};
    expect([executed - sameAt, differsAt - sameAt]).toEqual([5, 7]);
    const lines = `instructions ${sameAt + 1} to ${differsAt}`;
    expect(difference?.text[2]).toBe(
      `  It shows when ${lines} are executed together, not one by one: it is one of them.`,
    );
  });
});
