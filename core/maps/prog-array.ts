import { u32Bytes, u32Of } from '../bytes/little-endian.ts';
import type { Machine } from '../vm/machine.ts';
import type { BpfMap, MapAttr } from '../vm/map.ts';
import { enterProgArray, leaveProgArray } from '../vm/prog-aux.ts';
import type { Region } from '../vm/region.ts';
import { E2BIG, EBADF, EBUSY, EINVAL, ENOENT, EPERM } from './errno.ts';
import { BPF_ANY, MAP_STRIDE, MAP_VALUES } from './header.ts';

const ID_SIZE = 4;

/**
 * BPF_MAP_TYPE_PROG_ARRAY: programs by index, for tail calls only. Values are program ids, where
 * `bpf(2)` takes file descriptors; 0 stands for "none". All its programs have the type of the first.
 * Mirrors kernel/bpf/arraymap.c in results and errno values.
 */
export class ProgArrayMap implements BpfMap {
  readonly id: number;
  readonly def: MapAttr;
  readonly region: Region;
  readonly nValues = 1;
  readonly programOps = undefined;
  readonly directValueAddr = undefined;
  readonly #machine: Machine;
  readonly #ids: Region;
  /** What the array is for: the kind of the first program that used it or was put in. */
  #owner: { readonly progType: string; readonly jited: boolean } | undefined;
  #frozen = false;

  /** `def` has been checked; `region` is the header. Throws MemoryLimitError. */
  constructor(machine: Machine, id: number, def: MapAttr, region: Region) {
    this.#machine = machine;
    this.id = id;
    this.def = def;
    this.region = region;
    const size = def.maxEntries * ID_SIZE;
    this.#ids = machine.space.alloc({
      name: `programs of ${def.name}`,
      kind: 'map_value',
      size,
      perm: 'none',
    });
    machine.memory.view.setUint32(this.region.base + MAP_VALUES, this.#ids.base, true);
    machine.memory.view.setUint32(this.region.base + MAP_STRIDE, ID_SIZE, true);
  }

  get addr(): bigint {
    return this.region.addr;
  }

  get frozen(): boolean {
    return this.#frozen;
  }

  /** Id of the program at `index` (unsigned 32 bits); 0: none, or out of range. */
  progIdAt(index: number): number {
    return index < this.def.maxEntries ? this.#machine.memory.view.getUint32(this.#at(index), true) : 0;
  }

  /**
   * Whether `prog` may be in the array or use it: it must be of the owner's type, and compiled where the
   * owner is. The first one that is asked about becomes the owner. Mirrors `bpf_prog_map_compatible`,
   * kernel/bpf/core.c. Undefined: it may; else the owner in words.
   */
  bpfProgMapCompatible(prog: { readonly progType: string; readonly jited?: boolean }): string | undefined {
    const jited = prog.jited ?? false;
    this.#owner ??= { progType: prog.progType, jited };
    const { progType } = this.#owner;
    if (progType === prog.progType && this.#owner.jited === jited) return undefined;
    return this.#owner.jited ? `${progType}, native` : progType;
  }

  lookup(key: Uint8Array): Uint8Array | undefined {
    const index = indexOf(key);
    if (index === undefined || this.progIdAt(index) === 0) return undefined;
    return this.#machine.memory.copy(this.#at(index), ID_SIZE);
  }

  update(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    if (this.#frozen) return -EPERM;
    const index = indexOf(key);
    const progId = indexOf(value);
    if (index === undefined || progId === undefined || flags !== BPF_ANY) return -EINVAL;
    if (index >= this.def.maxEntries) return -E2BIG;
    const prog = this.#machine.progs.get(progId);
    if (prog === undefined) return -EBADF;
    if (prog.progType === 'ext' || this.bpfProgMapCompatible(prog) !== undefined) return -EINVAL;
    if (!enterProgArray(this.#machine, prog)) return -EBUSY;
    this.#replace(index, progId);
    return 0;
  }

  delete(key: Uint8Array): number {
    if (this.#frozen) return -EPERM;
    const index = indexOf(key);
    if (index === undefined) return -EINVAL;
    if (index >= this.def.maxEntries) return -E2BIG;
    if (this.progIdAt(index) === 0) return -ENOENT;
    this.#replace(index, 0);
    return 0;
  }

  *entries(): Iterable<[Uint8Array, Uint8Array]> {
    for (let index = 0; index < this.def.maxEntries; index++) {
      if (this.progIdAt(index) === 0) continue;
      yield [u32Bytes(index), this.#machine.memory.copy(this.#at(index), ID_SIZE)];
    }
  }

  /** A program cannot have the address of an entry. */
  valueAddr(): undefined {
    return undefined;
  }

  freeze(): void {
    this.#frozen = true;
  }

  free(): void {
    for (let index = 0; index < this.def.maxEntries; index++) {
      if (this.progIdAt(index) !== 0) this.#replace(index, 0);
    }
    this.#machine.space.free(this.#ids);
    this.#machine.space.free(this.region);
  }

  /** Puts an id in place; the program that was there before, if it still is, counts one place less. */
  #replace(index: number, progId: number): void {
    const before = this.#machine.progs.get(this.progIdAt(index));
    this.#machine.memory.view.setUint32(this.#at(index), progId, true);
    if (before !== undefined) leaveProgArray(this.#machine, before);
  }

  #at(index: number): number {
    return this.#ids.base + index * ID_SIZE;
  }
}

function indexOf(bytes: Uint8Array): number | undefined {
  return bytes.length === ID_SIZE ? u32Of(bytes) : undefined;
}
