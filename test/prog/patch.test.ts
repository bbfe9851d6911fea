import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { patchInsns } from '#core/prog/patch.ts';
import { bytesOf, EXIT, R0_0, type Slot } from './build.ts';

const NOP: Slot = [0xbf, 0, 0];

function patched(code: readonly Slot[], replace: Readonly<Record<number, readonly Slot[]>>) {
  const map = new Map(Object.entries(replace).map(([at, slots]) => [Number(at), bytesOf(slots)]));
  const result = patchInsns(bytesOf(code), map);
  if ('message' in result) throw new Error(result.message);
  return result;
}

describe('replacing instructions', () => {
  test('a branch over a longer sequence reaches the same instruction', () => {
    const { insns, origIdx, firstNew } = patched([[0x15, 1, 0, 1], NOP, EXIT], { 1: [NOP, NOP, NOP] });
    expect(insns).toEqual(bytesOf([[0x15, 1, 0, 3], NOP, NOP, NOP, EXIT]));
    expect([...origIdx]).toEqual([0, 1, 1, 1, 2]);
    expect([...firstNew]).toEqual([0, 1, 4, 5]);
  });

  test('a branch to a replaced instruction reaches the first of the sequence', () => {
    const { insns } = patched([NOP, NOP, [0x05, 0, 0, -2], EXIT], { 1: [R0_0, NOP], 0: [NOP, NOP] });
    expect(insns).toEqual(bytesOf([NOP, NOP, R0_0, NOP, [0x05, 0, 0, -3], EXIT]));
  });

  test('long jumps, local calls and function addresses follow too', () => {
    const code: Slot[] = [
      [0x85, 0, 1, 0, 5],
      [0x18, 1, 4, 0, 4],
      [0],
      [0x06, 0, 0, 0, 1],
      NOP,
      EXIT,
      R0_0,
      EXIT,
    ];
    const { insns } = patched(code, { 4: [NOP, NOP, NOP] });
    expect(insns).toEqual(
      bytesOf([
        [0x85, 0, 1, 0, 7],
        [0x18, 1, 4, 0, 6],
        [0],
        [0x06, 0, 0, 0, 3],
        NOP,
        NOP,
        NOP,
        EXIT,
        R0_0,
        EXIT,
      ]),
    );
  });

  test('a wide instruction is replaced as a whole', () => {
    const { insns, origIdx } = patched([[0x05, 0, 0, 2], [0x18, 1, 0, 0, 7], [0], EXIT], { 1: [NOP] });
    expect(insns).toEqual(bytesOf([[0x05, 0, 0, 1], NOP, EXIT]));
    expect([...origIdx]).toEqual([0, 1, 3]);
  });

  test('branches inside a sequence stay as they are', () => {
    const { insns } = patched([NOP, EXIT], { 0: [[0x15, 0, 0, 1], NOP, NOP] });
    expect(insns).toEqual(bytesOf([[0x15, 0, 0, 1], NOP, NOP, EXIT]));
  });

  test('helper calls, exits and tail calls are no branches', () => {
    const code: Slot[] = [NOP, [0x85, 0, 0, 0, 12], [0x85, 0, 2, 0, 3], EXIT];
    expect(patched(code, { 0: [NOP, NOP] }).insns.slice(16)).toEqual(bytesOf(code.slice(1)));
  });

  test('a branch that no longer reaches is refused in the kernel’s words', () => {
    const code: Slot[] = [[0x15, 1, 0, 0x7ffe], ...Array<Slot>(0x7fff).fill(NOP), EXIT];
    const result = patchInsns(bytesOf(code), new Map([[5, bytesOf([NOP, NOP, NOP])]]));
    expect(result).toEqual({ pc: 0, message: 'insn 0 cannot be patched due to 16-bit range' });
  });

  test('every branch keeps its target, whatever is replaced', () => {
    const program = fc.array(
      fc.record({ jump: fc.boolean(), to: fc.nat(), length: fc.integer({ min: 0, max: 5 }) }),
      { minLength: 1, maxLength: 40 },
    );
    fc.assert(
      fc.property(program, (rows) => {
        const n = rows.length;
        const code: Slot[] = rows.map(({ jump, to }, i) =>
          jump ? [0x05, 0, 0, (to % n) - i - 1] : [0xb7, 1, 0, 0, i],
        );
        const replace = new Map(
          rows.flatMap(({ jump, length }, i) =>
            jump || length === 0 ? [] : [[i, bytesOf(Array<Slot>(length).fill([0xb7, 2, 0, 0, i]))] as const],
          ),
        );
        const result = patchInsns(bytesOf(code), replace);
        if ('message' in result) return false;
        const view = new DataView(result.insns.buffer);
        return rows.every(({ jump, to }, i) => {
          const at = result.firstNew[i] ?? 0;
          if (result.origIdx[at] !== i) return false;
          return !jump || at + 1 + view.getInt16(at * 8 + 2, true) === result.firstNew[to % n];
        });
      }),
      { seed: 6, numRuns: 500 },
    );
  });
});
