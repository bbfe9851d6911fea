import { expect } from 'vitest';
import type { StopCause } from '#core/interp/engine.ts';
import { reference } from '#core/interp/reference.ts';
import * as layout from '#core/vm/layout.ts';
import type { Machine } from '#core/vm/machine.ts';
import { type Leg, wholeState } from '../interp/whole-state.ts';

/** Where AX stands in a CPU block in hex. */
const AX = { from: layout.regOffset(11) * 2, to: layout.regOffset(12) * 2 };

/** Everything that a machine holds but AX, which machine code uses in its own way. */
function stateOf(machine: Machine): Record<string, string> {
  const state = wholeState(machine);
  for (const { index } of machine.cpus) {
    const block = state[`CPU ${index}`] ?? '';
    state[`CPU ${index}`] = `${block.slice(0, AX.from)}${'-'.repeat(AX.to - AX.from)}${block.slice(AX.to)}`;
  }
  return state;
}

/**
 * Runs two machines in the same state, the one by `reference`, the other by the engine of each leg, and expects the
 * same cause and the same state at each stop; gives the last cause.
 */
export function runInStep(machines: readonly [Machine, Machine], legs: Iterable<Leg>): StopCause | undefined {
  let cause: StopCause | undefined;
  for (const { engine, ...limits } of legs) {
    cause = reference.run(machines[0], 0, limits);
    expect(engine.run(machines[1], 0, limits)).toEqual(cause);
    const where = `${engine.name} ${JSON.stringify(limits)}: ${cause.kind}`;
    expect(differences(stateOf(machines[0]), stateOf(machines[1])), where).toEqual([]);
    if (cause.kind === 'exit') return cause;
  }
  return cause;
}

/** The places that differ, a line each: what it is and where in it. */
function differences(want: Record<string, string>, got: Record<string, string>): string[] {
  return Object.keys({ ...want, ...got }).flatMap((place) => {
    const [a, b] = [want[place] ?? 'none', got[place] ?? 'none'];
    if (a === b) return [];
    let at = 0;
    while (a[at] === b[at]) at++;
    const from = at - (at % 16);
    const [was, is] = [a.slice(from, from + 16), b.slice(from, from + 16)];
    return [`${place}, byte 0x${(from / 2).toString(16)}: ${was}, is ${is}`];
  });
}
