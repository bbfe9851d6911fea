import { u32Bytes, u32Of } from '../bytes/little-endian.ts';
import type { RegionOptions } from '../vm/address-space.ts';
import type { Machine } from '../vm/machine.ts';
import type { BpfMap, MapAttr, MapProgramOps } from '../vm/map.ts';
import type { Region } from '../vm/region.ts';
import { E2BIG, EEXIST, EINVAL, EPERM } from './errno.ts';
import {
  BPF_EXIST,
  BPF_F_LOCK,
  BPF_F_RDONLY_PROG,
  BPF_NOEXIST,
  MAP_STRIDE,
  MAP_VALUES,
  roundUp8,
  valuePerm,
} from './header.ts';
import { BPF_ARRAY_VALUE } from './kernel-layout.ts';

const KEY_SIZE = 4;

/**
 * BPF_MAP_TYPE_ARRAY: all values lie in one region, `round_up(value_size, 8)` apart; they exist from the
 * start, zeroed, and are never deleted. Mirrors kernel/bpf/arraymap.c in results and errno values.
 */
export class ArrayMap implements BpfMap {
  readonly id: number;
  readonly def: MapAttr;
  readonly region: Region;
  readonly nValues = 1;
  readonly programOps: MapProgramOps;
  readonly #machine: Machine;
  readonly #values: Region;
  readonly stride: number;
  readonly valueRegions: readonly Region[];
  #frozen = false;

  /** What the values need, in the window behind the header's: for maps up to 2^31 − 1 bytes. */
  static beside(def: MapAttr): RegionOptions[] {
    const size = roundUp8(def.valueSize) * def.maxEntries;
    return [{ name: `values of ${def.name}`, kind: 'map_value', size, perm: valuePerm(def.flags) }];
  }

  /** `def` has been checked; `region` is the header, `values` the region that `beside` asked for. */
  constructor(machine: Machine, id: number, def: MapAttr, region: Region, values: Region) {
    this.#machine = machine;
    this.id = id;
    this.def = def;
    this.region = region;
    this.stride = roundUp8(def.valueSize);
    this.#values = values;
    this.valueRegions = [values];
    machine.memory.view.setUint32(this.region.base + MAP_VALUES, this.#values.base, true);
    machine.memory.view.setUint32(this.region.base + MAP_STRIDE, this.stride, true);
    this.programOps = {
      lookup: (keyAt) => {
        const index = machine.memory.view.getUint32(keyAt, true);
        return index < def.maxEntries ? this.#values.id * 2 ** 32 + index * this.stride : 0;
      },
      update: (keyAt, valueAt, flags) => {
        if (def.flags & BPF_F_RDONLY_PROG) return -EPERM;
        const { bytes, view } = machine.memory;
        const value = bytes.subarray(valueAt, valueAt + def.valueSize);
        return this.#update(view.getUint32(keyAt, true), value, flags);
      },
      delete: () => -EINVAL,
    };
  }

  get addr(): bigint {
    return this.#values.addr - BigInt(BPF_ARRAY_VALUE);
  }

  get frozen(): boolean {
    return this.#frozen;
  }

  get directValueAddr(): bigint {
    return this.#values.addr;
  }

  lookup(key: Uint8Array): Uint8Array | undefined {
    const at = this.#valueAt(key);
    return at === undefined
      ? undefined
      : this.#machine.memory.copy(this.#values.base + at, this.def.valueSize);
  }

  update(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    if (this.#frozen) return -EPERM;
    if (key.length !== KEY_SIZE || value.length !== this.def.valueSize) return -EINVAL;
    // bpf(2) looks for a lock before it looks at the key; helpers do after.
    if (flags & BPF_F_LOCK) return -EINVAL;
    return this.#update(u32Of(key), value, flags);
  }

  delete(): number {
    return this.#frozen ? -EPERM : -EINVAL;
  }

  *entries(): Iterable<[Uint8Array, Uint8Array]> {
    for (let index = 0; index < this.def.maxEntries; index++) {
      yield [
        u32Bytes(index),
        this.#machine.memory.copy(this.#values.base + index * this.stride, this.def.valueSize),
      ];
    }
  }

  valueAddr(key: Uint8Array): bigint | undefined {
    const at = this.#valueAt(key);
    return at === undefined ? undefined : this.#values.addr + BigInt(at);
  }

  freeze(): void {
    this.#frozen = true;
  }

  free(): void {
    this.#machine.space.free(this.#values);
    this.#machine.space.free(this.region);
  }

  /** Byte offset of the value of `key` in the values' region. */
  #valueAt(key: Uint8Array): number | undefined {
    if (key.length !== KEY_SIZE) return undefined;
    const index = u32Of(key);
    return index < this.def.maxEntries ? index * this.stride : undefined;
  }

  #update(index: number, value: Uint8Array, flags: bigint): number {
    if ((flags & ~BPF_F_LOCK) > BPF_EXIST) return -EINVAL;
    if (index >= this.def.maxEntries) return -E2BIG;
    if (flags & BPF_NOEXIST) return -EEXIST;
    // No map here has a bpf_spin_lock in its value.
    if (flags & BPF_F_LOCK) return -EINVAL;
    this.#machine.memory.bytes.set(value, this.#values.base + index * this.stride);
    return 0;
  }
}
