import * as layout from '../../vm/layout.ts';
import type { Machine } from '../../vm/machine.ts';
import type { Region } from '../../vm/region.ts';
import type { LockstepSide } from './side.ts';
import { shadowOf } from './state.ts';

/** The state of a machine at one moment, to go on from there in another one that was loaded alike. */
export interface Checkpoint {
  /** Number of the input, from 0, instructions executed on it, and edits made on it until then. */
  readonly entry: number;
  readonly count: number;
  readonly edits: number;
  readonly cpu: Uint8Array;
  readonly clock: Uint8Array;
  readonly objects: readonly SavedObject[];
}

interface SavedObject {
  readonly id: number;
  readonly size: number;
  /** Bytes in front of the object that belong to it: buckets of a hash map, head room of a packet. */
  readonly front: number;
  /** From the first of these on. */
  readonly bytes: Uint8Array;
  /** What of a stack was written. */
  readonly shadow: Uint8Array | undefined;
}

/** Bytes that are saved at most: beyond, doing everything again is not slower by much. */
const MAX_BYTES = 64 << 20;
const CPU_BLOCK_SIZE = layout.cpuBlock(1) - layout.cpuBlock(0);

/** The state of `side` as it stands; undefined: there is too much of it. */
export function takeCheckpoint(
  { machine, cpu, executed }: LockstepSide,
  entry: number,
  edits: number,
): Checkpoint | undefined {
  const { memory, space } = machine;
  const objects: SavedObject[] = [];
  let left = MAX_BYTES;
  for (const region of space.regions()) {
    const { id, size, base, kind } = region;
    // Also of a frame that was left: its bytes are zeroed by what its shadow tells.
    const held = kind === 'stack' ? layout.MAX_BPF_STACK : size;
    const front = space.headroom(region);
    left -= front + held;
    if (left < 0) return undefined;
    const shadow = shadowOf(machine, id);
    objects.push({
      ...{ id, size, front, bytes: memory.copy(base - front, front + held) },
      shadow: shadow === 0 ? undefined : memory.copy(shadow, layout.SHADOW_SIZE),
    });
  }
  return {
    ...{ entry, count: executed, edits, objects },
    cpu: memory.copy(cpu.block, CPU_BLOCK_SIZE),
    clock: memory.copy(layout.HEADER_CLOCK_BASE, 8),
  };
}

/**
 * Puts `side`, which has entered its program with the same inputs, into the state of a checkpoint. False: objects have
 * come, gone or moved since they were entered (elements of hash maps, the begin of a packet), which memory alone does
 * not tell; then `side` is of no more use.
 */
export function restoreCheckpoint({ machine, cpu }: LockstepSide, saved: Checkpoint): boolean {
  const { memory, space } = machine;
  const regions = space.regions();
  const fits = (region: Region, index: number): boolean => {
    const object = saved.objects[index];
    const isSame = object?.id === region.id && object.front === space.headroom(region);
    // The frame that a stack belongs to comes and goes.
    return isSame && (region.kind === 'stack' || object.size === region.size);
  };
  if (regions.length !== saved.objects.length || !regions.every(fits)) return false;
  regions.forEach((region, index) => {
    const object = saved.objects[index];
    if (object === undefined) return;
    memory.bytes.set(object.bytes, region.base - object.front);
    setSize(machine, region.id, object.size);
    if (object.shadow !== undefined) memory.bytes.set(object.shadow, shadowOf(machine, region.id));
  });
  memory.bytes.set(saved.cpu, cpu.block);
  memory.bytes.set(saved.clock, layout.HEADER_CLOCK_BASE);
  cpu.clearPause();
  return true;
}

function setSize({ memory }: Machine, id: number, size: number): void {
  const table = memory.view.getUint32(layout.HEADER_REGION_TABLE, true);
  memory.view.setUint32(table + (id << layout.REGION_ENTRY_SHIFT) + layout.REGION_SIZE, size, true);
}
