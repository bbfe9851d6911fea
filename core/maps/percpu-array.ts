import { u32Bytes, u32Of } from '../bytes/little-endian.ts';
import type { RegionOptions } from '../vm/address-space.ts';
import { WINDOW_BASE } from '../vm/layout.ts';
import type { Machine } from '../vm/machine.ts';
import type { BpfMap, MapAttr, MapProgramOps } from '../vm/map.ts';
import type { Region } from '../vm/region.ts';
import { E2BIG, EEXIST, EINVAL, EPERM } from './errno.ts';
import * as header from './header.ts';
import { BPF_ARRAY_PPTRS } from './kernel-layout.ts';

const KEY_SIZE = 4;
const PPTR_SIZE = 8;

/**
 * BPF_MAP_TYPE_PERCPU_ARRAY: each CPU has its own value at each index. Programs see the value of the CPU
 * they run on; from outside a value is those of all CPUs one behind the other, `round_up(value_size, 8)`
 * bytes each (bpf(2)). Mirrors kernel/bpf/arraymap.c in results and errno values, as measured on 6.18.
 *
 * CPU c's values lie in a window of their own, c windows behind CPU 0's. Behind the map pointer lie the
 * per-CPU pointers (`struct bpf_array.pptrs`) that inlined lookups read.
 */
export class PercpuArrayMap implements BpfMap {
  readonly id: number;
  readonly def: MapAttr;
  readonly region: Region;
  readonly directValueAddr = undefined;
  readonly programOps: MapProgramOps;
  readonly stride: number;
  readonly #machine: Machine;
  readonly #pptrs: Region;
  /** By CPU. */
  readonly valueRegions: readonly Region[];
  #frozen = false;

  /** The per-CPU pointers, then a region of values for each CPU. */
  static beside(def: MapAttr, machine: Machine): RegionOptions[] {
    const size = header.roundUp8(def.valueSize) * def.maxEntries;
    const perm = header.valuePerm(def.flags);
    const pptrs = `per-CPU pointers of ${def.name}`;
    return [
      { name: pptrs, kind: 'map_value', size: PPTR_SIZE * def.maxEntries, perm: 'r' },
      ...machine.cpus.map(({ index }) => ({
        name: `values of ${def.name} on CPU ${index}`,
        kind: 'map_value' as const,
        size,
        perm,
      })),
    ];
  }

  /** `def` has been checked; `region` is the header, `beside` what `beside` asked for. Throws MemoryLimitError. */
  constructor(machine: Machine, id: number, def: MapAttr, region: Region, beside: readonly Region[]) {
    const [pptrs, ...values] = beside;
    const first = values[0];
    if (pptrs === undefined || first === undefined)
      throw new RangeError('a per-CPU array without its regions');
    this.#machine = machine;
    this.id = id;
    this.def = def;
    this.region = region;
    this.stride = header.roundUp8(def.valueSize);
    this.#pptrs = pptrs;
    this.valueRegions = values;
    const { view } = machine.memory;
    const percpu = machine.perCpu().pointerTo(first.addr);
    for (let index = 0; index < def.maxEntries; index++) {
      view.setBigUint64(pptrs.base + index * PPTR_SIZE, percpu + BigInt(index * this.stride), true);
    }
    view.setUint32(region.base + header.MAP_VALUES, first.base, true);
    view.setUint32(region.base + header.MAP_STRIDE, this.stride, true);
    this.programOps = this.#makeProgramOps();
  }

  get addr(): bigint {
    return this.#pptrs.addr - BigInt(BPF_ARRAY_PPTRS);
  }

  get nValues(): number {
    return this.valueRegions.length;
  }

  get frozen(): boolean {
    return this.#frozen;
  }

  lookup(key: Uint8Array): Uint8Array | undefined {
    const index = this.#indexOf(key);
    return index === undefined ? undefined : this.#all(index);
  }

  update(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    if (this.#frozen) return -EPERM;
    const { memory, nCpus } = this.#machine;
    if (key.length !== KEY_SIZE || value.length !== this.stride * nCpus) return -EINVAL;
    if (flags & header.BPF_F_LOCK) return -EINVAL;
    const index = u32Of(key);
    const refusal = this.#refusal(index, flags);
    if (refusal !== 0) return refusal;
    for (const [cpu, values] of this.valueRegions.entries()) {
      const from = cpu * this.stride;
      memory.bytes.set(value.subarray(from, from + this.stride), values.base + index * this.stride);
    }
    return 0;
  }

  delete(): number {
    return this.#frozen ? -EPERM : -EINVAL;
  }

  *entries(): Iterable<[Uint8Array, Uint8Array]> {
    for (let index = 0; index < this.def.maxEntries; index++) yield [u32Bytes(index), this.#all(index)];
  }

  valueAddr(key: Uint8Array, cpu = 0): bigint | undefined {
    const index = this.#indexOf(key);
    const at = index === undefined ? 0 : this.#addressOf(index, cpu);
    return at === 0 ? undefined : WINDOW_BASE + BigInt(at);
  }

  freeze(): void {
    this.#frozen = true;
  }

  free(): void {
    const { space } = this.#machine;
    for (const region of [...this.valueRegions, this.#pptrs, this.region]) space.free(region);
  }

  #makeProgramOps(): MapProgramOps {
    const { def } = this;
    const indexAt = (keyAt: number): number => this.#machine.memory.view.getUint32(keyAt, true);
    return {
      lookup: (keyAt, cpu) => this.#addressOf(indexAt(keyAt), cpu),
      update: (keyAt, valueAt, flags, cpu) => {
        if (def.flags & header.BPF_F_RDONLY_PROG) return -EPERM;
        const index = indexAt(keyAt);
        const refusal = this.#refusal(index, flags);
        const values = this.valueRegions[cpu];
        if (refusal !== 0 || values === undefined) return refusal;
        const { bytes } = this.#machine.memory;
        bytes.copyWithin(values.base + index * this.stride, valueAt, valueAt + def.valueSize);
        return 0;
      },
      delete: () => -EINVAL,
    };
  }

  /** Why an update is refused, −errno; 0: it is not. */
  #refusal(index: number, flags: bigint): number {
    if ((flags & ~header.BPF_F_LOCK) > header.BPF_EXIST) return -EINVAL;
    if (index >= this.def.maxEntries) return -E2BIG;
    if (flags & header.BPF_NOEXIST) return -EEXIST;
    // No map here has a bpf_spin_lock in its value.
    return flags & header.BPF_F_LOCK ? -EINVAL : 0;
  }

  #indexOf(key: Uint8Array): number | undefined {
    if (key.length !== KEY_SIZE) return undefined;
    const index = u32Of(key);
    return index < this.def.maxEntries ? index : undefined;
  }

  /** The values of all CPUs, as BPF_MAP_LOOKUP_ELEM gives them. */
  #all(index: number): Uint8Array {
    const out = new Uint8Array(this.stride * this.valueRegions.length);
    for (const [cpu, values] of this.valueRegions.entries()) {
      out.set(this.#machine.memory.copy(values.base + index * this.stride, this.stride), cpu * this.stride);
    }
    return out;
  }

  /** Address relative to 0xffff8800_00000000 of the value at `index` on `cpu`; 0: there is none. */
  #addressOf(index: number, cpu: number): number {
    const values = this.valueRegions[cpu];
    return values === undefined || index >= this.def.maxEntries
      ? 0
      : values.id * 2 ** 32 + index * this.stride;
  }
}
