import type { Engine } from '../../interp/engine.ts';
import type { Fault } from '../../vm/fault.ts';
import type { Loaded } from '../loaded.ts';
import { DEFAULT_MAX_INSNS } from '../run.ts';
import { Lockstep } from './lockstep.ts';
import { type LockstepReport, lockstepReport } from './report.ts';
import type { MakeSide } from './side.ts';

/** How one packet's run ended, in both engines alike. */
export interface LockstepEnd {
  /** Number of the packet in its capture, from 1. */
  readonly packet: number;
  readonly executed: number;
  /** Unsigned 64 bits. */
  readonly r0: bigint;
  /** Undefined: it came to its `exit`, or to the limit of instructions. */
  readonly fault: Fault | undefined;
  /** It was ended by the limit of instructions. */
  readonly isLimited: boolean;
}

/** What came of running all packets on two engines. */
export interface LockstepResult {
  /** Instructions that both have executed alike, on all packets. */
  readonly executed: number;
  /** The runs that ended alike, in order; one a packet and repetition. */
  readonly ends: readonly LockstepEnd[];
  /** Undefined: no difference. */
  readonly difference: LockstepReport | undefined;
}

/** How `runLockstep` runs. */
export interface LockstepOptions {
  /** The engine whose values are told first; the one that the program was loaded for when not told. */
  readonly first?: Engine;
  /** Times that each packet is run; 1 when not told. */
  readonly repeat?: number;
}

/**
 * Runs all packets of a loaded program on two engines at once, up to its limit of instructions (1,000,000 where it has
 * none), and stops at the first difference.
 * @param loaded is used up; `make` must make the same again each time.
 */
export function runLockstep(
  loaded: Loaded,
  make: MakeSide,
  second: Engine,
  { first = loaded.engine, repeat = 1 }: LockstepOptions = {},
): LockstepResult {
  let ready: Loaded | undefined = loaded;
  const makeSide = (): Loaded => {
    const side = ready ?? make();
    ready = undefined;
    return side;
  };
  const lockstep = new Lockstep(makeSide, first, second);
  const ends: LockstepEnd[] = [];
  for (const { number, input } of loaded.packets) {
    for (let round = 0; round < repeat; round++) {
      lockstep.enter(input);
      const end = runToEnd(lockstep, loaded.maxInsns ?? DEFAULT_MAX_INSNS, number);
      if ('text' in end) return { executed: lockstep.executedInAll, ends, difference: end };
      ends.push(end);
    }
  }
  lockstep.leave();
  return { executed: lockstep.executedInAll, ends, difference: undefined };
}

function runToEnd(lockstep: Lockstep, maxInsns: number, packet: number): LockstepEnd | LockstepReport {
  const { first } = lockstep;
  const end = (fault: Fault | undefined, isLimited: boolean): LockstepEnd => {
    return { packet, executed: first.executed, r0: first.cpu.readReg(0), fault, isLimited };
  };
  for (;;) {
    const left = maxInsns - first.executed;
    if (left <= 0) return end(undefined, true);
    const outcome = lockstep.run(left);
    if (outcome.kind === 'differs') return lockstepReport(outcome.find(), packet);
    const { cause } = outcome;
    if (cause.kind === 'exit') return end(undefined, false);
    if (cause.kind === 'fault') return end(cause.fault, false);
  }
}
