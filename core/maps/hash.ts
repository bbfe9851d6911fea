import { hexText } from '../bytes/hex.ts';
import { WINDOW_BASE } from '../vm/layout.ts';
import type { Machine } from '../vm/machine.ts';
import type { BpfMap, MapAttr, MapProgramOps } from '../vm/map.ts';
import type { Region } from '../vm/region.ts';
import { E2BIG, EEXIST, EINVAL, ENOENT, EPERM } from './errno.ts';
import * as header from './header.ts';

/**
 * Layout of one element, all u32 but key and value:
 *
 *     +0 next in its bucket or in the free list, linear address, 0: last
 *     +4 hash of the key
 *     +8 region id of its value, 0: it has had no window of its own yet
 *     +16 key, padded to 8; then value, padded to 8
 *
 * and of one bucket: +0 first element, linear address, 0: empty; +4 lock word.
 */
const ELEM_NEXT = 0;
const ELEM_HASH = 4;
const ELEM_REGION = 8;
const ELEM_KEY = 16;
const BUCKET_SIZE = 8;
const BUCKET_LOCK = 4;

/**
 * BPF_MAP_TYPE_HASH, preallocated: elements, buckets and one spare element a CPU exist from the start.
 * As in the kernel, replacing a value takes another element, so a pointer to the old value keeps its old
 * contents. Each value in use is a region of its own; when windows get scarce (some 27,000 in use),
 * further values are only bounded by the whole pool. Mirrors kernel/bpf/hashtab.c in results and errno
 * values; the hash function, which no program can see, is ours.
 */
export class HashMap implements BpfMap {
  readonly id: number;
  readonly def: MapAttr;
  readonly region: Region;
  readonly directValueAddr = undefined;
  readonly programOps: MapProgramOps;
  readonly #machine: Machine;
  readonly #pool: Region;
  readonly #buckets: number;
  readonly #bucketMask: number;
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
    const nElements = def.maxEntries + machine.cpus.length;
    const nBuckets = 2 ** Math.ceil(Math.log2(def.maxEntries));
    this.#bucketMask = nBuckets - 1;
    // The buckets lie in front of the elements, where no address leads.
    const room = { size: stride * nElements, headroom: Math.max(nBuckets * BUCKET_SIZE, 16) };
    const perm = header.valuePerm(def.flags);
    this.#pool = machine.space.alloc({ name: `values of ${def.name}`, kind: 'map_value', perm, ...room });
    this.#buckets = this.#pool.base - room.headroom;
    const { view } = machine.memory;
    const at = this.region.base;
    view.setUint32(at + header.MAP_VALUES, this.#pool.base, true);
    view.setUint32(at + header.MAP_STRIDE, stride, true);
    view.setUint32(at + header.MAP_BUCKETS, this.#buckets, true);
    view.setUint32(at + header.MAP_BUCKET_MASK, this.#bucketMask, true);
    for (let i = nElements - 1; i >= 0; i--) this.#release(this.#pool.base + i * stride);
    this.programOps = this.#makeProgramOps();
  }

  get addr(): bigint {
    return this.region.addr;
  }

  get frozen(): boolean {
    return this.#frozen;
  }

  lookup(key: Uint8Array): Uint8Array | undefined {
    const elem = this.#findKey(key);
    return elem === 0 ? undefined : this.#machine.memory.copy(elem + this.#valueOffset, this.def.valueSize);
  }

  update(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    if (this.#frozen) return -EPERM;
    if (key.length !== this.def.keySize || value.length !== this.def.valueSize) return -EINVAL;
    return this.#update(key, value, flags);
  }

  delete(key: Uint8Array): number {
    if (this.#frozen) return -EPERM;
    return key.length === this.def.keySize ? this.#delete(key) : -EINVAL;
  }

  *entries(): Iterable<[Uint8Array, Uint8Array]> {
    const { memory } = this.#machine;
    for (let bucket = 0; bucket <= this.#bucketMask; bucket++) {
      let elem = memory.view.getUint32(this.#buckets + bucket * BUCKET_SIZE, true);
      while (elem !== 0) {
        const next = this.#get(elem, ELEM_NEXT);
        yield [
          memory.copy(elem + ELEM_KEY, this.def.keySize),
          memory.copy(elem + this.#valueOffset, this.def.valueSize),
        ];
        elem = next;
      }
    }
  }

  valueAddr(key: Uint8Array): bigint | undefined {
    const elem = this.#findKey(key);
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
        const elem = this.#find(slice(keyAt, keySize));
        return elem === 0 ? 0 : this.#addressOf(elem);
      },
      update: (keyAt, valueAt, flags) =>
        readOnly ? -EPERM : this.#update(slice(keyAt, keySize), slice(valueAt, valueSize), flags),
      delete: (keyAt) => (readOnly ? -EPERM : this.#delete(slice(keyAt, keySize))),
    };
  }

  #update(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    if ((flags & ~header.BPF_F_LOCK) > header.BPF_EXIST) return -EINVAL;
    // No map here has a bpf_spin_lock in its value.
    if (flags & header.BPF_F_LOCK) return -EINVAL;
    const hash = hashKey(key);
    const bucket = this.#bucket(hash);
    return this.#locked(bucket, () => {
      const old = this.#find(key, hash);
      if (old !== 0 && flags === header.BPF_NOEXIST) return -EEXIST;
      if (old === 0 && flags === header.BPF_EXIST) return -ENOENT;
      const count = this.#headerGet(header.MAP_COUNT);
      if (old === 0 && count >= this.def.maxEntries) return -E2BIG;
      const elem = this.#take();
      const { bytes } = this.#machine.memory;
      // The value first: it may lie in the element that is replaced.
      bytes.set(value, elem + this.#valueOffset);
      bytes.set(key, elem + ELEM_KEY);
      this.#set(elem, ELEM_HASH, hash);
      this.#nameWindow(elem);
      if (old !== 0) {
        this.#unlink(bucket, old);
        this.#release(old);
      } else this.#headerSet(header.MAP_COUNT, count + 1);
      this.#set(elem, ELEM_NEXT, this.#get(bucket, 0));
      this.#set(bucket, 0, elem);
      return 0;
    });
  }

  #delete(key: Uint8Array): number {
    const hash = hashKey(key);
    const bucket = this.#bucket(hash);
    return this.#locked(bucket, () => {
      const elem = this.#find(key, hash);
      if (elem === 0) return -ENOENT;
      this.#unlink(bucket, elem);
      this.#release(elem);
      this.#headerSet(header.MAP_COUNT, this.#headerGet(header.MAP_COUNT) - 1);
      return 0;
    });
  }

  #findKey(key: Uint8Array): number {
    return key.length === this.def.keySize ? this.#find(key) : 0;
  }

  /** Linear address of the element with this key; 0: none. */
  #find(key: Uint8Array, hash = hashKey(key)): number {
    let elem = this.#get(this.#bucket(hash), 0);
    while (elem !== 0 && !(this.#get(elem, ELEM_HASH) === hash && this.#hasKey(elem, key))) {
      elem = this.#get(elem, ELEM_NEXT);
    }
    return elem;
  }

  #hasKey(elem: number, key: Uint8Array): boolean {
    const { bytes } = this.#machine.memory;
    for (let i = 0; i < key.length; i++) if (bytes[elem + ELEM_KEY + i] !== key[i]) return false;
    return true;
  }

  #bucket(hash: number): number {
    return this.#buckets + (hash & this.#bucketMask) * BUCKET_SIZE;
  }

  #unlink(bucket: number, elem: number): void {
    let link = bucket;
    while (this.#get(link, 0) !== elem) link = this.#get(link, 0);
    this.#set(link, 0, this.#get(elem, ELEM_NEXT));
  }

  /** Takes an element off the free list: there is always one, for the spare ones are never in use. */
  #take(): number {
    const elem = this.#headerGet(header.MAP_FREE);
    this.#headerSet(header.MAP_FREE, this.#get(elem, ELEM_NEXT));
    return elem;
  }

  #release(elem: number): void {
    this.#set(elem, ELEM_NEXT, this.#headerGet(header.MAP_FREE));
    this.#headerSet(header.MAP_FREE, elem);
  }

  /** Address of an element's value, relative to 0xffff8800_00000000. */
  #addressOf(elem: number): number {
    const window = this.#get(elem, ELEM_REGION);
    if (window !== 0) return window * 2 ** 32;
    return this.#pool.id * 2 ** 32 + (elem + this.#valueOffset - this.#pool.base);
  }

  /** Gives an element that comes into use a window, and the window the key's name. */
  #nameWindow(elem: number): void {
    const { space, memory } = this.#machine;
    const name = `${this.def.name}[${keyText(memory.bytes.subarray(elem + ELEM_KEY, elem + ELEM_KEY + this.def.keySize))}]`;
    const existing = this.#windows.get(this.#get(elem, ELEM_REGION));
    if (existing !== undefined) {
      space.rename(existing, name);
      return;
    }
    const perm = header.valuePerm(this.def.flags);
    const extent = { size: this.def.valueSize, base: elem + this.#valueOffset };
    const region = space.alias({ name, kind: 'map_value', perm, ...extent });
    if (region === undefined) return;
    this.#windows.set(region.id, region);
    this.#set(elem, ELEM_REGION, region.id);
  }

  #locked(bucket: number, change: () => number): number {
    const { memory } = this.#machine;
    const word = (bucket + BUCKET_LOCK) >> 2;
    while (Atomics.compareExchange(memory.words, word, 0, 1) !== 0);
    try {
      return change();
    } finally {
      Atomics.store(memory.words, word, 0);
    }
  }

  #headerGet(field: number): number {
    return this.#get(this.region.base, field);
  }

  #headerSet(field: number, value: number): void {
    this.#set(this.region.base, field, value);
  }

  #get(at: number, field: number): number {
    return this.#machine.memory.view.getUint32(at + field, true);
  }

  #set(at: number, field: number, value: number): void {
    this.#machine.memory.view.setUint32(at + field, value, true);
  }
}

/** FNV-1a over the bytes, with a final mix so that the low bits depend on all of them. Unsigned 32 bits. */
function hashKey(key: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of key) hash = Math.imul(hash ^ byte, 0x01000193);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}

/** A key for people: as a number when it is 8 bytes or less (little endian), else its bytes. */
function keyText(key: Uint8Array): string {
  const shown = key.length <= 8 ? key.toReversed() : key;
  const digits = hexText(shown);
  return key.length <= 8 ? `0x${digits.replace(/^0+(?=.)/, '')}` : digits;
}
