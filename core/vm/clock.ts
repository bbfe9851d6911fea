import { HEADER_CLOCK_BASE } from './layout.ts';
import type { LinearMemory } from './memory.ts';

/** Time at which a machine starts, ns since its boot: one hour, so that differences never go below 0. */
const START_NS = 3_600_000_000_000n;

/**
 * The machine's only clock. One executed instruction takes one nanosecond; between runs time stands
 * still, so that a repeated run reads the same times. It never looks at the host's clock.
 */
export class VirtualClock {
  readonly #memory: LinearMemory;

  constructor(memory: LinearMemory) {
    this.#memory = memory;
    memory.view.setBigUint64(HEADER_CLOCK_BASE, START_NS, true);
  }

  /** Nanoseconds since boot on a CPU that has executed `executed` instructions of the current run. */
  nowNs(executed: bigint): bigint {
    return this.#memory.view.getBigUint64(HEADER_CLOCK_BASE, true) + executed;
  }

  /** Lets `ns` nanoseconds pass. */
  advance(ns: bigint): void {
    const view = this.#memory.view;
    view.setBigUint64(HEADER_CLOCK_BASE, view.getBigUint64(HEADER_CLOCK_BASE, true) + ns, true);
  }
}
