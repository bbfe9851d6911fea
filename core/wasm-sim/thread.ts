import type { InsnIndex } from '../isa/insn.ts';
import type { Machine } from '../vm/machine.ts';
import type { Activation } from './activation.ts';
import { Overlay } from './overlay.ts';

/** Compiled code of one CPU as it stands, amid an instruction of the program or between two. */
export class Thread {
  /** By depth: a compiled function for each frame of the program. */
  frames: Activation[];
  /** The module's own functions that the innermost of them is in (`lookup`). */
  readonly inner: Activation[] = [];
  /** What the code of the instruction under way has written; the machine's memory has none of it. */
  readonly memory: Overlay;
  /** The instruction whose code is under way; undefined: code on the way to the CPU's pc is. */
  pending: InsnIndex | undefined;
  /** A step has led here; it does not just stand where the CPU does. */
  isStepped = false;
  /** Slots that the last step has come to. */
  arrived: InsnIndex[] = [];

  constructor(machine: Machine, frames: Activation[]) {
    this.frames = frames;
    this.memory = new Overlay(machine.memory);
  }

  /** What is executed. Throws RangeError where there is no frame. */
  get top(): Activation {
    const top = this.inner.at(-1) ?? this.frames.at(-1);
    if (top === undefined) throw new RangeError('no code is executed');
    return top;
  }

  /** Nothing is under way any more; what was written is the machine's. */
  settle(): void {
    this.pending = undefined;
    this.memory.clear();
  }

  /** Goes on in other activations. */
  replace(frames: Activation[]): void {
    this.frames = frames;
    this.inner.length = 0;
    this.settle();
  }
}
