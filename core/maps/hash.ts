import { hexText } from '../bytes/hex.ts';
import { WINDOW_BASE } from '../vm/layout.ts';
import type { Machine } from '../vm/machine.ts';
import type { BpfMap, MapAttr, MapProgramOps } from '../vm/map.ts';
import type { Region } from '../vm/region.ts';
import { bucketBytes, ElementTable } from './element-table.ts';
import { E2BIG, EEXIST, EINVAL, ENOENT, EPERM } from './errno.ts';
import * as header from './header.ts';

/** Links, hash and region id, then the key, padded to 8; then the value, padded to 8 (`ElementTable`). */
const ELEM_KEY = 16;

/**
 * BPF_MAP_TYPE_HASH, preallocated: elements, buckets and one spare element a CPU exist from the start.
 * As in the kernel, replacing a value takes another element, so a pointer to the old value keeps its old
 * contents. Each value in use is a region of its own; when windows get scarce (some 27,000 in use),
 * further values are only bounded by the whole pool. Mirrors kernel/bpf/hashtab.c in results and errno
 * values.
 */
export class HashMap implements BpfMap {
  readonly id: number;
  readonly def: MapAttr;
  readonly region: Region;
  readonly directValueAddr = undefined;
  readonly nValues = 1;
  readonly programOps: MapProgramOps;
  readonly #machine: Machine;
  readonly #pool: Region;
  readonly #table: ElementTable;
  readonly #valueOffset: number;
  /** Windows of elements, by region id. */
  readonly #windows = new Map<number, Region>();
  #frozen = false;

  /** `def` has been checked; `region` is the header. Throws MemoryLimitError. */
  constructor(machine: Machine, id: number, def: MapAttr, region: Region) {
    this.#machine = machine;
    this.id = id;
    this.def = def;
    this.region = region;
    this.#valueOffset = ELEM_KEY + header.roundUp8(def.keySize);
    const stride = this.#valueOffset + header.roundUp8(def.valueSize);
    const count = def.maxEntries + machine.cpus.length;
    const room = { size: stride * count, headroom: bucketBytes(def) };
    const perm = header.valuePerm(def.flags);
    this.#pool = machine.space.alloc({ name: `values of ${def.name}`, kind: 'map_value', perm, ...room });
    const layout = { keyAt: ELEM_KEY, valueAt: this.#valueOffset, stride, count };
    this.#table = new ElementTable(machine, def, region, this.#pool, layout);
    this.programOps = this.#makeProgramOps();
  }

  get addr(): bigint {
    return this.region.addr;
  }

  get frozen(): boolean {
    return this.#frozen;
  }

  lookup(key: Uint8Array): Uint8Array | undefined {
    const elem = this.#table.findKey(key);
    return elem === 0 ? undefined : this.#machine.memory.copy(elem + this.#valueOffset, this.def.valueSize);
  }

  update(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    if (this.#frozen) return -EPERM;
    if (key.length !== this.def.keySize || value.length !== this.def.valueSize) return -EINVAL;
    return this.#update(key, value, flags);
  }

  delete(key: Uint8Array): number {
    if (this.#frozen) return -EPERM;
    return key.length === this.def.keySize ? this.#table.delete(key) : -EINVAL;
  }

  *entries(): Iterable<[Uint8Array, Uint8Array]> {
    for (const elem of this.#table.elements()) {
      const value = this.#machine.memory.copy(elem + this.#valueOffset, this.def.valueSize);
      yield [this.#table.key(elem), value];
    }
  }

  valueAddr(key: Uint8Array): bigint | undefined {
    const elem = this.#table.findKey(key);
    return elem === 0 ? undefined : WINDOW_BASE + BigInt(this.#addressOf(elem));
  }

  freeze(): void {
    this.#frozen = true;
  }

  free(): void {
    const { space } = this.#machine;
    for (const region of this.#windows.values()) space.free(region);
    this.#windows.clear();
    space.free(this.#pool);
    space.free(this.region);
  }

  #makeProgramOps(): MapProgramOps {
    const { keySize, valueSize, flags: mapFlags } = this.def;
    const slice = (at: number, size: number): Uint8Array =>
      this.#machine.memory.bytes.subarray(at, at + size);
    const readOnly = (mapFlags & header.BPF_F_RDONLY_PROG) !== 0;
    return {
      lookup: (keyAt) => {
        const elem = this.#table.find(slice(keyAt, keySize));
        return elem === 0 ? 0 : this.#addressOf(elem);
      },
      update: (keyAt, valueAt, flags) =>
        readOnly ? -EPERM : this.#update(slice(keyAt, keySize), slice(valueAt, valueSize), flags),
      delete: (keyAt) => (readOnly ? -EPERM : this.#table.delete(slice(keyAt, keySize))),
    };
  }

  #update(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    if ((flags & ~header.BPF_F_LOCK) > header.BPF_EXIST) return -EINVAL;
    // No map here has a bpf_spin_lock in its value.
    if (flags & header.BPF_F_LOCK) return -EINVAL;
    return this.#table.locked(key, (old, hash) => {
      if (old !== 0 && flags === header.BPF_NOEXIST) return -EEXIST;
      if (old === 0 && flags === header.BPF_EXIST) return -ENOENT;
      if (old === 0 && this.#table.count >= this.def.maxEntries) return -E2BIG;
      // There always is one: the spare ones are never in use.
      const elem = this.#table.take();
      // The value first: it may lie in the element that is replaced.
      this.#machine.memory.bytes.set(value, elem + this.#valueOffset);
      this.#table.setKey(elem, key, hash);
      this.#nameWindow(elem);
      if (old !== 0) this.#table.remove(old);
      this.#table.link(elem);
      return 0;
    });
  }

  /** Address of an element's value, relative to 0xffff8800_00000000. */
  #addressOf(elem: number): number {
    const window = this.#table.window(elem);
    if (window !== 0) return window * 2 ** 32;
    return this.#pool.id * 2 ** 32 + (elem + this.#valueOffset - this.#pool.base);
  }

  /** Gives an element that comes into use a window, and the window the key's name. */
  #nameWindow(elem: number): void {
    const { space } = this.#machine;
    const name = `${this.def.name}[${keyText(this.#table.key(elem))}]`;
    const existing = this.#windows.get(this.#table.window(elem));
    if (existing !== undefined) {
      space.rename(existing, name);
      return;
    }
    const perm = header.valuePerm(this.def.flags);
    const extent = { size: this.def.valueSize, base: elem + this.#valueOffset };
    const region = space.alias({ name, kind: 'map_value', perm, ...extent });
    if (region === undefined) return;
    this.#windows.set(region.id, region);
    this.#table.setWindow(elem, region.id);
  }
}

/** A key for people: as a number when it is 8 bytes or less (little endian), else its bytes. */
export function keyText(key: Uint8Array): string {
  const shown = key.length <= 8 ? key.toReversed() : key;
  const digits = hexText(shown);
  return key.length <= 8 ? `0x${digits.replace(/^0+(?=.)/, '')}` : digits;
}
