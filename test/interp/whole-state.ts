import { expect } from 'vitest';
import type { Engine, RunLimits, StopCause } from '#core/interp/engine.ts';
import * as layout from '#core/vm/layout.ts';
import type { Machine } from '#core/vm/machine.ts';

/** Words of the engine that runs: of no meaning between runs. */
const SCRATCH = { from: 0xc0, to: 0x100 };

/**
 * Everything that a machine holds, as text by place: the CPU blocks (registers, pc, frames, counts, register
 * bits), each region with its extent, bytes and shadow, what was printed. Linear addresses are left out: an
 * engine may keep things of its own in memory.
 */
export function wholeState(machine: Machine): Record<string, string> {
  const { memory, space } = machine;
  const state: Record<string, string> = { output: machine.output.join('\n') };
  for (const { index, block } of machine.cpus) {
    const bytes = memory.copy(block, layout.cpuBlock(1) - layout.cpuBlock(0));
    bytes.fill(0, SCRATCH.from, SCRATCH.to);
    // Records of frames that were left are of no meaning: an engine need not have written them.
    const depth = memory.view.getUint32(block + layout.CPU_DEPTH, true);
    bytes.fill(0, layout.frameRecord(0, depth + 1), layout.frameRecord(0, layout.MAX_CALL_FRAMES));
    state[`CPU ${index}`] = hex(bytes);
  }
  const table = memory.view.getUint32(layout.HEADER_REGION_TABLE, true);
  for (const { id, name, size, perm, base } of space.regions()) {
    const shadow = memory.view.getUint32(
      table + (id << layout.REGION_ENTRY_SHIFT) + layout.REGION_SHADOW,
      true,
    );
    // What a frame that was left holds is zeroed when it is entered again.
    const bytes = hex(memory.copy(base, size));
    const written = shadow === 0 || size === 0 ? '' : hex(memory.copy(shadow, layout.SHADOW_SIZE));
    state[`${id} ${name}`] = `${size} ${perm} ${bytes} ${written}`;
  }
  return state;
}

/** One call of an engine. */
export interface Leg extends RunLimits {
  readonly engine: Engine;
}

/**
 * Runs two machines in the same state, the one by `reference`, the other by the engine of each leg, and
 * expects the same cause and the same state at each stop; gives the last cause.
 */
export function runInStep(
  machines: readonly [Machine, Machine],
  reference: Engine,
  legs: Iterable<Leg>,
): StopCause | undefined {
  let cause: StopCause | undefined;
  for (const { engine, ...limits } of legs) {
    cause = reference.run(machines[0], 0, limits);
    const other = engine.run(machines[1], 0, limits);
    expect(other).toEqual(cause);
    const [want, got] = machines.map(wholeState);
    // Compared as one text first: to compare objects of thousands of bytes is what costs.
    if (JSON.stringify(got) !== JSON.stringify(want)) expect(got).toEqual(want);
    if (cause.kind === 'exit') return cause;
  }
  return cause;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
