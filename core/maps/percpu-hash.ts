import { WINDOW_BASE } from '../vm/layout.ts';
import type { Machine } from '../vm/machine.ts';
import type { BpfMap, MapAttr, MapProgramOps } from '../vm/map.ts';
import type { Region } from '../vm/region.ts';
import { bucketBytes, ElementTable } from './element-table.ts';
import { E2BIG, EEXIST, EINVAL, ENOENT, EPERM } from './errno.ts';
import { keyText } from './hash.ts';
import * as header from './header.ts';
import { HTAB_ELEM_KEY, htabElemValue } from './kernel-layout.ts';

const PPTR_SIZE = 8;

/** Bytes from one element to the next: head, key, padded to 8, and the per-CPU pointer to its values. */
export function percpuElementSize({ keySize }: MapAttr): number {
  return htabElemValue(keySize) + PPTR_SIZE;
}

/**
 * BPF_MAP_TYPE_PERCPU_HASH, preallocated: each CPU has its own value of an element. Programs see the value of the
 * CPU they run on; from outside a value is those of all CPUs one behind the other, `round_up(value_size, 8)` bytes
 * each (bpf(2)). A value that is replaced is written in place, and a deleted element keeps its values until it is
 * used again; what lies behind `value_size` bytes is never cleared. Mirrors kernel/bpf/hashtab.c in results and
 * errno values, as measured on 6.18.
 *
 * Elements lie as the kernel's do, key and per-CPU pointer where inlined lookups expect them, and can be read by
 * programs. The values of an element in use have windows of their own, CPU c's c windows behind CPU 0's; when
 * windows get scarce they are only bounded by those of the CPU.
 */
export class PercpuHashMap implements BpfMap {
  readonly id: number;
  readonly def: MapAttr;
  readonly region: Region;
  readonly directValueAddr = undefined;
  readonly programOps: MapProgramOps;
  readonly #machine: Machine;
  readonly #table: ElementTable;
  readonly #elements: Region;
  /** Values of all elements, by CPU. */
  readonly #values: readonly Region[];
  readonly #first: Region;
  readonly #valueStride: number;
  /** Windows of elements, by the id of CPU 0's. */
  readonly #windows = new Map<number, readonly Region[]>();
  #windowsAreScarce = false;
  #frozen = false;

  /** `def` has been checked; `region` is the header. Throws MemoryLimitError. */
  constructor(machine: Machine, id: number, def: MapAttr, region: Region) {
    this.#machine = machine;
    this.id = id;
    this.def = def;
    this.region = region;
    this.#valueStride = header.roundUp8(def.valueSize);
    const perCpu = machine.perCpu();
    const perm = header.valuePerm(def.flags);
    const valueAt = htabElemValue(def.keySize);
    const layout = { keyAt: HTAB_ELEM_KEY, valueAt, stride: percpuElementSize(def), count: def.maxEntries };
    const room = { size: layout.stride * layout.count, headroom: bucketBytes(def) };
    const [elements, ...values] = machine.space.allocAll([
      { name: `elements of ${def.name}`, kind: 'map_value', perm: 'r', ...room },
      ...machine.cpus.map(({ index }) => ({
        name: `values of ${def.name} on CPU ${index}`,
        kind: 'map_value' as const,
        size: this.#valueStride * def.maxEntries,
        perm,
      })),
    ]);
    const first = values[0];
    if (elements === undefined || first === undefined)
      throw new RangeError('a per-CPU hash without its regions');
    this.#elements = elements;
    this.#values = values;
    this.#first = first;
    this.#table = new ElementTable(machine, def, region, elements, layout);
    for (let index = 0; index < def.maxEntries; index++) {
      const percpu = perCpu.pointerTo(first.addr + BigInt(index * this.#valueStride));
      this.#setPointer(elements.base + index * layout.stride, percpu);
    }
    this.programOps = this.#makeProgramOps();
  }

  get addr(): bigint {
    return this.region.addr;
  }

  get nValues(): number {
    return this.#values.length;
  }

  get frozen(): boolean {
    return this.#frozen;
  }

  lookup(key: Uint8Array): Uint8Array | undefined {
    const elem = this.#table.findKey(key);
    return elem === 0 ? undefined : this.#all(elem);
  }

  update(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    if (this.#frozen) return -EPERM;
    const stride = this.#valueStride;
    if (key.length !== this.def.keySize || value.length !== stride * this.nValues) return -EINVAL;
    const { bytes } = this.#machine.memory;
    return this.#update(key, flags, (elem) => {
      for (let cpu = 0; cpu < this.nValues; cpu++) {
        bytes.set(value.subarray(cpu * stride, (cpu + 1) * stride), this.#linear(elem, cpu));
      }
    });
  }

  delete(key: Uint8Array): number {
    if (this.#frozen) return -EPERM;
    return key.length === this.def.keySize ? this.#table.delete(key) : -EINVAL;
  }

  *entries(): Iterable<[Uint8Array, Uint8Array]> {
    for (const elem of this.#table.elements()) yield [this.#table.key(elem), this.#all(elem)];
  }

  valueAddr(key: Uint8Array, cpu = 0): bigint | undefined {
    const at = this.#addressOf(this.#table.findKey(key), cpu);
    return at === 0 ? undefined : WINDOW_BASE + BigInt(at);
  }

  freeze(): void {
    this.#frozen = true;
  }

  free(): void {
    const { space } = this.#machine;
    for (const region of [...this.#windows.values()].flat()) space.free(region);
    this.#windows.clear();
    for (const region of [...this.#values, this.#elements, this.region]) space.free(region);
  }

  #makeProgramOps(): MapProgramOps {
    const { keySize, flags: mapFlags } = this.def;
    const keyOf = (keyAt: number): Uint8Array => this.#machine.memory.bytes.subarray(keyAt, keyAt + keySize);
    const readOnly = (mapFlags & header.BPF_F_RDONLY_PROG) !== 0;
    return {
      lookup: (keyAt, cpu) => this.#addressOf(this.#table.find(keyOf(keyAt)), cpu),
      element: (keyAt) => {
        const elem = this.#table.find(keyOf(keyAt));
        return elem === 0 ? 0 : this.#elements.id * 2 ** 32 + (elem - this.#elements.base);
      },
      update: (keyAt, valueAt, flags, cpu) => {
        if (readOnly) return -EPERM;
        return this.#update(keyOf(keyAt), flags, (elem, isNew) => {
          this.#writeOwn(elem, valueAt, cpu);
          if (isNew) this.#clearOthers(elem, cpu);
        });
      },
      delete: (keyAt) => (readOnly ? -EPERM : this.#table.delete(keyOf(keyAt))),
    };
  }

  #writeOwn(elem: number, valueAt: number, cpu: number): void {
    const { bytes } = this.#machine.memory;
    bytes.copyWithin(this.#linear(elem, cpu), valueAt, valueAt + this.def.valueSize);
  }

  #clearOthers(elem: number, own: number): void {
    const { bytes } = this.#machine.memory;
    for (let cpu = 0; cpu < this.nValues; cpu++) {
      const at = this.#linear(elem, cpu);
      if (cpu !== own) bytes.fill(0, at, at + this.def.valueSize);
    }
  }

  /** `write` puts the values into the key's element, or into a new one. */
  #update(key: Uint8Array, flags: bigint, write: (elem: number, isNew: boolean) => void): number {
    // BPF_F_LOCK too: no per-CPU value has a bpf_spin_lock.
    if (flags > header.BPF_EXIST) return -EINVAL;
    return this.#table.locked(key, (old, hash) => {
      if (old !== 0 && flags === header.BPF_NOEXIST) return -EEXIST;
      if (old === 0 && flags === header.BPF_EXIST) return -ENOENT;
      if (old !== 0) {
        write(old, false);
        return 0;
      }
      if (this.#table.count >= this.def.maxEntries) return -E2BIG;
      const elem = this.#table.take();
      // The key first: it may lie in the values that are written.
      this.#table.setKey(elem, key, hash);
      write(elem, true);
      this.#nameWindows(elem);
      this.#table.link(elem);
      return 0;
    });
  }

  /** The values of all CPUs, as BPF_MAP_LOOKUP_ELEM gives them. */
  #all(elem: number): Uint8Array {
    const stride = this.#valueStride;
    const out = new Uint8Array(stride * this.nValues);
    for (let cpu = 0; cpu < this.nValues; cpu++) {
      out.set(this.#machine.memory.copy(this.#linear(elem, cpu), stride), cpu * stride);
    }
    return out;
  }

  /** Bytes from the first element's values to those of `elem`, on each CPU. */
  #offset(elem: number): number {
    return ((elem - this.#elements.base) / percpuElementSize(this.def)) * this.#valueStride;
  }

  /** Linear address of the value of `elem` on `cpu`, which there is. */
  #linear(elem: number, cpu: number): number {
    return (this.#values[cpu] ?? this.#first).base + this.#offset(elem);
  }

  /** Address relative to 0xffff8800_00000000 of the value on `cpu`; 0: there is no element or no such CPU. */
  #addressOf(elem: number, cpu: number): number {
    if (elem === 0 || cpu >= this.nValues) return 0;
    const window = this.#table.window(elem);
    if (window !== 0) return (window + cpu) * 2 ** 32;
    return (this.#first.id + cpu) * 2 ** 32 + this.#offset(elem);
  }

  #setPointer(elem: number, percpu: bigint): void {
    this.#machine.memory.view.setBigUint64(elem + htabElemValue(this.def.keySize), percpu, true);
  }

  /** Gives an element that comes into use windows, and the windows the key's name. */
  #nameWindows(elem: number): void {
    const { space } = this.#machine;
    const key = `${this.def.name}[${keyText(this.#table.key(elem))}]`;
    const nameOn = (cpu: number): string => `${key} on CPU ${cpu}`;
    const existing = this.#windows.get(this.#table.window(elem));
    if (existing !== undefined) {
      for (const [cpu, region] of existing.entries()) space.rename(region, nameOn(cpu));
      return;
    }
    if (this.#windowsAreScarce) return;
    const common = {
      kind: 'map_value',
      perm: header.valuePerm(this.def.flags),
      size: this.def.valueSize,
    } as const;
    const regions = space.aliasRow(
      this.#values.map((_, cpu) => ({ name: nameOn(cpu), ...common, base: this.#linear(elem, cpu) })),
    );
    const first = regions?.[0];
    if (regions === undefined || first === undefined) {
      this.#windowsAreScarce = true;
      return;
    }
    this.#windows.set(first.id, regions);
    this.#table.setWindow(elem, first.id);
    this.#setPointer(elem, this.#machine.perCpu().pointerTo(first.addr));
  }
}
