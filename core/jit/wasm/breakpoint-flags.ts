import type { Op } from '../../interp/op.ts';
import type { Machine } from '../../vm/machine.ts';
import type { ExecProg } from '../../vm/program.ts';
import { flowOf } from './ops.ts';

/**
 * Instructions that one test covers. A longer one would test less, and leave more to be interpreted in front of a
 * breakpoint.
 */
export const MAX_STRETCH = 16;

/**
 * Breakpoints as debuggable code tests them: a byte for each slot in linear memory, not 0 where a breakpoint is set at
 * that slot or at one of the next `MAX_STRETCH` − 1 instructions that follow it in a row. Code tests the byte of a
 * block's first slot, and of each slot `MAX_STRETCH` further on, and is left in front of a set one; which instruction it
 * stops at is found by interpreting. So the code is the same wherever breakpoints are.
 */
export class BreakpointFlags {
  /** Address of the byte of slot 0. */
  readonly at: number;
  readonly #machine: Machine;
  readonly #nSlots: number;
  /** Whose breakpoint bytes the flags show, and as they were at which epoch. */
  #shown: ExecProg | undefined;
  #epoch = 0;
  /** The slots whose flags are set, some more than once. */
  readonly #set: number[] = [];

  /** For a program of `nSlots`, none set. Throws MemoryLimitError. */
  constructor(machine: Machine, nSlots: number) {
    this.#machine = machine;
    this.#nSlots = nSlots;
    // One more: behind the last slot code can lead, too.
    this.at = machine.memory.allocCache(nSlots + 1);
  }

  /** Whether code is left in front of `slot`. */
  isSet(slot: number): boolean {
    return this.#machine.memory.bytes[this.at + slot] !== 0;
  }

  /** Makes the flags show the breakpoint bytes of `prog`, whose instructions are `ops`. */
  show(prog: ExecProg, ops: readonly Op[]): void {
    if (this.#shown === prog && this.#epoch === prog.breakpoints.epoch) return;
    this.#shown = prog;
    this.#epoch = prog.breakpoints.epoch;
    const flags = this.#machine.memory.bytes.subarray(this.at, this.at + this.#nSlots + 1);
    for (const slot of this.#set) flags[slot] = 0;
    this.#set.length = 0;
    for (const slot of prog.breakpoints.slots) this.#flagStretch(flags, ops, slot);
  }

  /** Gives the memory back. */
  free(): void {
    this.#machine.memory.freeCache(this.at);
  }

  #flagStretch(flags: Uint8Array, ops: readonly Op[], slot: number): void {
    let first = slot;
    for (let n = 0; n < MAX_STRETCH; n++) {
      flags[first] = 1;
      this.#set.push(first);
      // A wide instruction has two slots.
      if (leadsTo(ops[first - 1], first)) first -= 1;
      else if (leadsTo(ops[first - 2], first)) first -= 2;
      else return;
    }
  }
}

function leadsTo(op: Op | undefined, slot: number): boolean {
  return op !== undefined && op.next === slot && flowOf(op) === 'next';
}
