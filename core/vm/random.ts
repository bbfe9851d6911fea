import { CPU_RANDOM, cpuBlock } from './layout.ts';
import type { LinearMemory } from './memory.ts';

/**
 * The machine's only source of chance: one generator a CPU (xorshift128, Marsaglia 2003), its state in
 * the CPU block, seeded by the machine's seed and the CPU's number.
 */
export class SeededRandom {
  readonly #memory: LinearMemory;

  /** `seed`: unsigned 64 bits. */
  constructor(memory: LinearMemory, nCpus: number, seed: bigint) {
    this.#memory = memory;
    for (let cpu = 0; cpu < nCpus; cpu++) {
      let state = BigInt.asUintN(64, seed + BigInt(cpu) * 0x632be59bd9b4e019n);
      for (let word = 0; word < 2; word++) {
        state = BigInt.asUintN(64, state + 0x9e3779b97f4a7c15n);
        memory.view.setBigUint64(cpuBlock(cpu) + CPU_RANDOM + word * 8, splitMix(state), true);
      }
    }
  }

  /** The next number of `cpu`'s generator, unsigned 32 bits. */
  next(cpu: number): number {
    const view = this.#memory.view;
    const at = cpuBlock(cpu) + CPU_RANDOM;
    let x = view.getInt32(at, true);
    x ^= x << 11;
    x ^= x >>> 8;
    const last = view.getInt32(at + 12, true);
    for (let word = 0; word < 12; word += 4)
      view.setInt32(at + word, view.getInt32(at + word + 4, true), true);
    const next = last ^ (last >>> 19) ^ x;
    view.setInt32(at + 12, next, true);
    return next >>> 0;
  }
}

/** SplitMix64's output function (Steele, Lea, Flood 2014): spreads a counter over all 64 bits; never 0 twice in a row. */
function splitMix(counter: bigint): bigint {
  let z = counter;
  z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
  z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn);
  return z ^ (z >> 31n);
}
