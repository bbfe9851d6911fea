import { expect } from 'vitest';
import type { Engine, RunLimits, StopCause } from '#core/interp/engine.ts';
import * as layout from '#core/vm/layout.ts';
import type { Machine } from '#core/vm/machine.ts';

/** AX: machine code keeps other things in its register too. Words behind 0xc0 belong to the engine that runs. */
const AX = layout.regOffset(11);
const SCRATCH = { from: 0xc0, to: 0x100 };

/** Everything that a machine holds, as text by place: CPU blocks, regions with extent, bytes and shadow, output. */
export function wholeState(machine: Machine): Record<string, string> {
  const { memory, space } = machine;
  const state: Record<string, string> = { output: machine.output.join('\n') };
  for (const { index, block } of machine.cpus) {
    const bytes = memory.copy(block, layout.cpuBlock(1) - layout.cpuBlock(0));
    bytes.fill(0, AX, AX + 8);
    bytes.fill(0, SCRATCH.from, SCRATCH.to);
    state[`CPU ${index}`] = hex(bytes);
  }
  const table = memory.view.getUint32(layout.HEADER_REGION_TABLE, true);
  for (const { id, name, kind, size, perm, base } of space.regions()) {
    const entry = table + (id << layout.REGION_ENTRY_SHIFT);
    const shadow = memory.view.getUint32(entry + layout.REGION_SHADOW, true);
    const bytes = hex(memory.copy(base, kind === 'stack' ? layout.MAX_BPF_STACK : size));
    const written = shadow === 0 ? '' : hex(memory.copy(shadow, layout.SHADOW_SIZE));
    state[`${id} ${name}`] = `${size} ${perm} ${bytes} ${written}`;
  }
  return state;
}

/** One call of an engine. */
export interface Leg extends RunLimits {
  readonly engine: Engine;
}

/**
 * Runs two machines in the same state, one by `reference`, the other by the engine of each leg, and expects the same
 * cause and the same state at each stop; gives the last cause.
 */
export function runInStep(
  machines: readonly [Machine, Machine],
  reference: Engine,
  legs: Iterable<Leg>,
): StopCause | undefined {
  let cause: StopCause | undefined;
  for (const { engine, ...limits } of legs) {
    cause = reference.run(machines[0], 0, limits);
    expect(engine.run(machines[1], 0, limits)).toEqual(cause);
    const [want, got] = machines.map((machine) => wholeState(machine));
    expect(differences(want ?? {}, got ?? {}), JSON.stringify({ ...limits, cause })).toEqual([]);
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
    return [`${place}, byte 0x${(from / 2).toString(16)}: ${a.slice(from, from + 16)}, is ${b.slice(from, from + 16)}`];
  });
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
