import type { Machine } from '../vm/machine.ts';
import type { MapAttr } from '../vm/map.ts';
import type { Region } from '../vm/region.ts';
import { ENOENT } from './errno.ts';
import * as header from './header.ts';

/**
 * What every element begins with, all u32, and one bucket: +0 first element, linear address, 0: empty; +4 lock word.
 *
 *     +0 next in its bucket or in the free list, linear address, 0: last
 *     +4 hash of the key
 *     +8 region id of the first window of its own, 0: it has had none yet (for the map's type to use)
 */
const ELEM_NEXT = 0;
const ELEM_HASH = 4;
const ELEM_WINDOW = 8;
const BUCKET_SIZE = 8;
const BUCKET_LOCK = 4;

/** How the elements of a type lie in their pool; bytes. */
export interface ElementLayout {
  /** From an element to its key, 12 at least. */
  readonly keyAt: number;
  /** From an element to what stands behind its key. */
  readonly valueAt: number;
  /** From one element to the next. */
  readonly stride: number;
  /** Elements in all. */
  readonly count: number;
}

/** Bytes that the buckets of a map take in front of its elements, where no address leads: head room of the pool. */
export function bucketBytes({ maxEntries }: MapAttr): number {
  return Math.max(bucketCount(maxEntries) * BUCKET_SIZE, 16);
}

/**
 * The elements of a hash map by their keys: buckets, and a list of those that are free, in linear memory. An
 * element is told by its linear address, 0: none. All exist from the start. The hash function, which no program
 * can see, is ours.
 */
export class ElementTable {
  readonly #machine: Machine;
  readonly #def: MapAttr;
  readonly #header: Region;
  readonly #keyAt: number;
  readonly #buckets: number;
  readonly #bucketMask: number;

  /** `pool` has room for `layout.count` elements and `bucketBytes` in front of them; all are free at first. */
  constructor(machine: Machine, def: MapAttr, region: Region, pool: Region, layout: ElementLayout) {
    this.#machine = machine;
    this.#def = def;
    this.#header = region;
    this.#keyAt = layout.keyAt;
    this.#buckets = pool.base - bucketBytes(def);
    this.#bucketMask = bucketCount(def.maxEntries) - 1;
    this.#headerSet(header.MAP_VALUES, pool.base);
    this.#headerSet(header.MAP_STRIDE, layout.stride);
    this.#headerSet(header.MAP_BUCKETS, this.#buckets);
    this.#headerSet(header.MAP_BUCKET_MASK, this.#bucketMask);
    for (let i = layout.count - 1; i >= 0; i--) this.#release(pool.base + i * layout.stride);
  }

  /** The element with this key. */
  find(key: Uint8Array, hash = hashKey(key)): number {
    let elem = this.#get(this.#bucket(hash), 0);
    while (elem !== 0 && !(this.#get(elem, ELEM_HASH) === hash && this.#hasKey(elem, key))) {
      elem = this.#get(elem, ELEM_NEXT);
    }
    return elem;
  }

  /** The same, for keys from outside: those of another size are not found. */
  findKey(key: Uint8Array): number {
    return key.length === this.#def.keySize ? this.find(key) : 0;
  }

  /** Runs `change` with the key's bucket locked; `old` is the element that the key has. */
  locked(key: Uint8Array, change: (old: number, hash: number) => number): number {
    const hash = hashKey(key);
    const { memory } = this.#machine;
    const word = (this.#bucket(hash) + BUCKET_LOCK) >> 2;
    while (Atomics.compareExchange(memory.words, word, 0, 1) !== 0);
    try {
      return change(this.find(key, hash), hash);
    } finally {
      Atomics.store(memory.words, word, 0);
    }
  }

  /** Takes an element off the free list, with its old contents. There must be one. */
  take(): number {
    const elem = this.#headerGet(header.MAP_FREE);
    this.#headerSet(header.MAP_FREE, this.#get(elem, ELEM_NEXT));
    return elem;
  }

  /** Writes the key into an element that was taken. */
  setKey(elem: number, key: Uint8Array, hash: number): void {
    this.#machine.memory.bytes.set(key, elem + this.#keyAt);
    this.#set(elem, ELEM_HASH, hash);
  }

  /** Puts an element with its key first in its bucket. */
  link(elem: number): void {
    const bucket = this.#bucket(this.#get(elem, ELEM_HASH));
    this.#set(elem, ELEM_NEXT, this.#get(bucket, 0));
    this.#set(bucket, 0, elem);
    this.#headerSet(header.MAP_COUNT, this.count + 1);
  }

  /** Takes an element out of its bucket and makes it free; it keeps its contents until it is taken again. */
  remove(elem: number): void {
    let link = this.#bucket(this.#get(elem, ELEM_HASH));
    while (this.#get(link, 0) !== elem) link = this.#get(link, 0);
    this.#set(link, 0, this.#get(elem, ELEM_NEXT));
    this.#release(elem);
    this.#headerSet(header.MAP_COUNT, this.count - 1);
  }

  /** Removes the element of `key`: 0, or −ENOENT where there is none. */
  delete(key: Uint8Array): number {
    return this.locked(key, (elem) => {
      if (elem === 0) return -ENOENT;
      this.remove(elem);
      return 0;
    });
  }

  /** Elements in buckets. */
  get count(): number {
    return this.#headerGet(header.MAP_COUNT);
  }

  /** Elements in buckets; the one just given may be removed meanwhile. */
  *elements(): Iterable<number> {
    for (let bucket = 0; bucket <= this.#bucketMask; bucket++) {
      let elem = this.#get(this.#buckets, bucket * BUCKET_SIZE);
      while (elem !== 0) {
        const next = this.#get(elem, ELEM_NEXT);
        yield elem;
        elem = next;
      }
    }
  }

  /** A copy of an element's key. */
  key(elem: number): Uint8Array<ArrayBuffer> {
    return this.#machine.memory.copy(elem + this.#keyAt, this.#def.keySize);
  }

  /** Id of the region that the element has for itself; 0: none. */
  window(elem: number): number {
    return this.#get(elem, ELEM_WINDOW);
  }

  /** Keeps that id for as long as the map exists. */
  setWindow(elem: number, id: number): void {
    this.#set(elem, ELEM_WINDOW, id);
  }

  #hasKey(elem: number, key: Uint8Array): boolean {
    const { bytes } = this.#machine.memory;
    for (let i = 0; i < key.length; i++) if (bytes[elem + this.#keyAt + i] !== key[i]) return false;
    return true;
  }

  #bucket(hash: number): number {
    return this.#buckets + (hash & this.#bucketMask) * BUCKET_SIZE;
  }

  #release(elem: number): void {
    this.#set(elem, ELEM_NEXT, this.#headerGet(header.MAP_FREE));
    this.#headerSet(header.MAP_FREE, elem);
  }

  #headerGet(field: number): number {
    return this.#get(this.#header.base, field);
  }

  #headerSet(field: number, value: number): void {
    this.#set(this.#header.base, field, value);
  }

  #get(at: number, field: number): number {
    return this.#machine.memory.view.getUint32(at + field, true);
  }

  #set(at: number, field: number, value: number): void {
    this.#machine.memory.view.setUint32(at + field, value, true);
  }
}

function bucketCount(maxEntries: number): number {
  return 2 ** Math.ceil(Math.log2(maxEntries));
}

/** FNV-1a over the bytes, with a final mix so that the low bits depend on all of them. Unsigned 32 bits. */
function hashKey(key: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of key) hash = Math.imul(hash ^ byte, 0x01000193);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}
