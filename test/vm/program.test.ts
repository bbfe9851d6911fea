import { expect, test } from 'vitest';
import { Machine } from '#core/vm/machine.ts';
import { breakpointSlots, setBreakpointByte } from '#core/vm/program.ts';
import { load } from '../interp/build.ts';

test('each change of a breakpoint byte is counted; what changes nothing is not', () => {
  const prog = load(new Machine({ shared: false }), new Uint8Array(24));
  const seen = [prog.breakpointEpoch];
  const changes = [
    [1, 1],
    [1, 3],
    [1, 3],
    [0, 0],
    [3, 1],
    [-1, 1],
    [1, 0],
  ] as const;
  for (const [slot, byte] of changes) {
    setBreakpointByte(prog, slot, byte);
    seen.push(prog.breakpointEpoch);
    expect([...breakpointSlots(prog)]).toEqual(
      [...prog.breakpoints.keys()].filter((at) => prog.breakpoints[at]),
    );
  }
  expect(seen).toEqual([0, 1, 2, 2, 2, 2, 2, 3]);
  expect([...prog.breakpoints]).toEqual([0, 0, 0]);
});
