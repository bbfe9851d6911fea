import { isPercpu, roundUp8 } from '../../../maps/header.ts';
import { mapTypeByName } from '../../../object/map-types.ts';
import type { MapDef } from '../../../object/object.ts';
import { ENOENT, KernelError } from './errors.ts';
import type { Fds } from './fds.ts';
import { objectName } from './names.ts';
import {
  BPF_MAP_CREATE,
  BPF_MAP_DELETE_ELEM,
  BPF_MAP_GET_NEXT_KEY,
  BPF_MAP_LOOKUP_ELEM,
  BPF_MAP_UPDATE_ELEM,
  type CallResult,
  type Syscalls,
} from './syscalls.ts';

/** Maps of the running kernel that one bridge created, by fd. */
export class KernelMaps {
  readonly #sys: Syscalls;
  readonly #fds: Fds;
  readonly #nCpus: number;
  readonly #defs = new Map<number, MapDef>();

  /** @param nCpus possible CPUs: so many values an element of a per-CPU map has. */
  constructor(sys: Syscalls, fds: Fds, nCpus: number) {
    this.#sys = sys;
    this.#fds = fds;
    this.#nCpus = nCpus;
  }

  /**
   * BPF_MAP_CREATE with the definition's initial entries (of a per-CPU map: the same value on each CPU; of a program
   * array: none). Returns its fd; throws KernelError, and leaves nothing behind.
   */
  create(def: MapDef): number {
    const type = mapTypeByName(def.type)?.id;
    if (type === undefined)
      throw new RangeError(`map ${def.name}: no number of map type ${def.type} is known`);
    this.#sys.arena.reset();
    const { bytes, view, ...block } = this.#sys.arena.reserve(72);
    for (const [index, word] of [type, def.keySize, def.valueSize, def.maxEntries, def.flags].entries()) {
      view.setUint32(4 * index, word, true);
    }
    bytes.set(new TextEncoder().encode(objectName(def.name)), 28);
    const result = this.#sys.bpf(BPF_MAP_CREATE, { bytes, view, ...block });
    if (result.errno !== 0) throw new KernelError(`creating map ${def.name} (${def.type})`, result.errno);
    const fd = this.#fds.keep(result);
    this.#defs.set(fd, def);
    try {
      if (def.type !== 'prog_array') {
        for (const { key, value } of def.entries ?? []) this.update(fd, key, this.#onEachCpu(def, value));
      }
    } catch (error) {
      this.close(fd);
      throw error;
    }
    return fd;
  }

  /** BPF_MAP_UPDATE_ELEM; a per-CPU value has `valueSize` bytes a CPU. Throws KernelError. */
  update(fd: number, key: Uint8Array, value: Uint8Array, flags = 0n): void {
    const def = this.#def(fd);
    checkSize(def, 'key', key, def.keySize);
    checkSize(def, 'value', value, this.valueSize(fd));
    this.#sys.arena.reset();
    const at = this.#sys.arena.put(value).address;
    const { errno } = this.#element(BPF_MAP_UPDATE_ELEM, fd, key, at, flags);
    if (errno !== 0) throw new KernelError(`writing to map ${def.name}`, errno);
  }

  /** BPF_MAP_LOOKUP_ELEM; undefined when there is no such element. Throws KernelError. */
  lookup(fd: number, key: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
    const def = this.#def(fd);
    checkSize(def, 'key', key, def.keySize);
    this.#sys.arena.reset();
    const value = this.#sys.arena.reserve(this.valueSize(fd));
    const { errno } = this.#element(BPF_MAP_LOOKUP_ELEM, fd, key, value.address);
    if (errno === ENOENT) return undefined;
    if (errno !== 0) throw new KernelError(`reading map ${def.name}`, errno);
    return value.bytes.slice();
  }

  /** BPF_MAP_DELETE_ELEM; false when there is no such element. Throws KernelError. */
  delete(fd: number, key: Uint8Array): boolean {
    const def = this.#def(fd);
    checkSize(def, 'key', key, def.keySize);
    this.#sys.arena.reset();
    const { errno } = this.#element(BPF_MAP_DELETE_ELEM, fd, key, 0n);
    if (errno !== 0 && errno !== ENOENT) throw new KernelError(`deleting from map ${def.name}`, errno);
    return errno === 0;
  }

  /** All elements, in the kernel's order. A program array's values are ids of programs. */
  entries(fd: number): [key: Uint8Array<ArrayBuffer>, value: Uint8Array<ArrayBuffer>][] {
    const def = this.#def(fd);
    const found: [Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>][] = [];
    let key: Uint8Array<ArrayBuffer> | undefined;
    for (;;) {
      this.#sys.arena.reset();
      const next = this.#sys.arena.reserve(def.keySize);
      const { errno } = this.#element(BPF_MAP_GET_NEXT_KEY, fd, key, next.address);
      if (errno === ENOENT) return found;
      if (errno !== 0) throw new KernelError(`listing map ${def.name}`, errno);
      key = next.bytes.slice();
      const value = this.lookup(fd, key);
      if (value !== undefined) found.push([key, value]);
    }
  }

  /** Bytes of a value as the system call sees it. */
  valueSize(fd: number): number {
    const def = this.#def(fd);
    return isPercpu(def) ? roundUp8(def.valueSize) * this.#nCpus : def.valueSize;
  }

  close(fd: number): void {
    this.#defs.delete(fd);
    this.#fds.close(fd);
  }

  #element(command: number, fd: number, key: Uint8Array | undefined, value: bigint, flags = 0n): CallResult {
    const at = key === undefined ? 0n : this.#sys.arena.put(key).address;
    const request = this.#sys.arena.reserve(32);
    request.view.setUint32(0, fd, true);
    request.view.setBigUint64(8, at, true);
    request.view.setBigUint64(16, value, true);
    request.view.setBigUint64(24, flags, true);
    return this.#sys.bpf(command, request);
  }

  #def(fd: number): MapDef {
    const def = this.#defs.get(fd);
    if (def === undefined) throw new RangeError(`fd ${fd} is no map of this bridge`);
    return def;
  }

  #onEachCpu(def: MapDef, value: Uint8Array): Uint8Array {
    if (!isPercpu(def) || value.length !== def.valueSize) return value;
    const stride = roundUp8(def.valueSize);
    const all = new Uint8Array(stride * this.#nCpus);
    for (let cpu = 0; cpu < this.#nCpus; cpu++) all.set(value, cpu * stride);
    return all;
  }
}

/** The kernel would read or write behind a block that is too short. */
function checkSize(def: MapDef, what: string, bytes: Uint8Array, size: number): void {
  if (bytes.length !== size) {
    throw new RangeError(`map ${def.name}: a ${what} has ${size} bytes, not ${bytes.length}`);
  }
}
