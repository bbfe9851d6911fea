import { MAX_BPF_STACK } from '../vm/layout.ts';
import { debugFrames, type Loaded } from './loaded.ts';

/** What one frame held at a stop, to see later what has changed. */
export interface FrameSnapshot {
  /** Program id and first slot of the function: the same frame or another at this depth? */
  readonly identity: string;
  /** R0…R10 and AX; undefined where a call does not keep them. */
  readonly registers: readonly (bigint | undefined)[];
  /** Registers that instructions have given a value, a bit each: `CpuBlock.regInitialised` at that stop. */
  readonly withValue: number;
  readonly stack: Uint8Array;
}

/** All frames at a stop by depth (0: main). */
export type Snapshot = ReadonlyMap<number, FrameSnapshot>;

/** Copies registers and stacks of every frame. */
export function takeSnapshot(loaded: Loaded): Snapshot {
  const frames = new Map<number, FrameSnapshot>();
  for (const { view } of debugFrames(loaded)) {
    frames.set(view.index, {
      identity: `${view.prog.id}:${view.subprog.start}`,
      registers: Array.from({ length: 12 }, (_, n) => view.reg(n)),
      withValue: loaded.cpu.regInitialised,
      stack:
        loaded.machine.space.read(view.fp - BigInt(MAX_BPF_STACK), MAX_BPF_STACK) ??
        new Uint8Array(MAX_BPF_STACK),
    });
  }
  return frames;
}

/** The earlier state of a frame, if the same function stood at this depth. */
export function earlierFrame(
  snapshot: Snapshot | undefined,
  depth: number,
  identity: string,
): FrameSnapshot | undefined {
  const frame = snapshot?.get(depth);
  return frame?.identity === identity ? frame : undefined;
}

/** What the CPU held at an earlier stop, whichever function it stood in. */
export function innermostFrame(snapshot: Snapshot | undefined): FrameSnapshot | undefined {
  return snapshot?.get(snapshot.size - 1);
}
