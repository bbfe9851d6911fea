import type { AddressSpace } from './address-space.ts';
import * as layout from './layout.ts';
import type { LinearMemory } from './memory.ts';

/**
 * The kernel's static per-CPU variables that programs read, one block a CPU. A *per-CPU pointer* is what
 * `struct bpf_array.pptrs` and the `imm` of an inlined `bpf_get_smp_processor_id` hold: a number that becomes
 * an address on CPU c by adding `thisCpuOff(c)` (`mov64_percpu`; x86-64 keeps that offset in the variable
 * `this_cpu_off`). The per-CPU pointer of a static variable is its offset in the block.
 *
 *     +0x28  this_cpu_off   u64
 *     +0x34  cpu_number     u32
 */
export const PER_CPU_THIS_CPU_OFF = 0x28;
export const PER_CPU_CPU_NUMBER = 0x34;

/** The blocks in the address space: CPU c's window is c windows behind CPU 0's. */
export class PerCpuArea {
  readonly #base: bigint;

  /** Takes `nCpus` neighbouring windows. Throws MemoryLimitError when there are none. */
  constructor(space: AddressSpace, memory: LinearMemory, nCpus: number) {
    const cpus = Array.from({ length: nCpus }, (_, cpu) => cpu);
    const regions = space.aliasAll(
      cpus.map((cpu) => ({
        name: `per-CPU variables of CPU ${cpu}`,
        kind: 'kernel',
        size: layout.PER_CPU_SIZE,
        perm: 'r',
        base: layout.perCpuBlock(nCpus, cpu),
      })),
    );
    this.#base = regions[0]?.addr ?? 0n;
    for (const cpu of cpus) {
      const at = layout.perCpuBlock(nCpus, cpu);
      memory.view.setBigUint64(at + PER_CPU_THIS_CPU_OFF, this.thisCpuOff(cpu), true);
      memory.view.setUint32(at + PER_CPU_CPU_NUMBER, cpu, true);
      const high = Number(BigInt.asIntN(32, this.thisCpuOff(cpu) >> 32n));
      memory.view.setInt32(layout.cpuBlock(cpu) + layout.CPU_THIS_CPU_OFF_HI, high, true);
    }
  }

  /** What makes a per-CPU pointer an address on `cpu`; unsigned 64 bits, the low 32 are 0. */
  thisCpuOff(cpu: number): bigint {
    return this.#base + (BigInt(cpu) << 32n);
  }

  /** The per-CPU pointer of an object whose copy on CPU 0 lies at `addr`; unsigned 64 bits. */
  pointerTo(addr: bigint): bigint {
    return BigInt.asUintN(64, addr - this.#base);
  }
}
