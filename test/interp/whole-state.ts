import { expect } from 'vitest';
import type { Engine, RunLimits, StopCause } from '#core/interp/engine.ts';
import { reference } from '#core/interp/reference.ts';
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

/** Where AX stands in a CPU block in hex. */
const AX = { from: layout.regOffset(11) * 2, to: layout.regOffset(12) * 2 };

/** The whole state but AX, which machine code uses in its own way. */
export function stateWithoutAx(machine: Machine): Record<string, string> {
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
export function runInStep(
  machines: readonly [Machine, Machine],
  legs: readonly Leg[],
): StopCause | undefined {
  const stateOf = legs.some(({ engine }) => engine.name === 'x86-64') ? stateWithoutAx : wholeState;
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

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
