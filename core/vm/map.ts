import type { Region } from './region.ts';

/** What a map was created with: `MapDef` of `core/object` without its initial entries. */
export interface MapAttr {
  readonly name: string;
  /** uapi name in lower case without `BPF_MAP_TYPE_`. */
  readonly type: string;
  /** Bytes. */
  readonly keySize: number;
  /** Bytes. */
  readonly valueSize: number;
  readonly maxEntries: number;
  /** `BPF_F_…` bits. */
  readonly flags: number;
}

/**
 * A map of the machine, seen from outside programs (`bpf(2)`, the debugger) and from helpers. Keys and
 * values are of the exact sizes of `def`; seen from outside, a value of a per-CPU map is those of all CPUs,
 * each `round_up(value_size, 8)` bytes. Errors are negative errno values (`core/maps/errno.ts`).
 */
export interface BpfMap {
  /** The machine's map id, the key in `Machine.maps`. */
  readonly id: number;
  readonly def: MapAttr;
  /** The map's own data, for helpers and engines: no program may read or write it. */
  readonly region: Region;
  /**
   * What a map load gives a program, the map pointer. In array maps the first value lies
   * `BPF_ARRAY_VALUE` behind it, as inlined lookups expect (`core/maps/kernel-layout.ts`). It always lies in
   * `region`'s window.
   */
  readonly addr: bigint;
  /** A copy of the value of `key`; undefined when there is none. */
  lookup(key: Uint8Array): Uint8Array | undefined;
  /** `flags`: BPF_ANY 0, BPF_NOEXIST 1, BPF_EXIST 2, BPF_F_LOCK 4. 0 or −errno. */
  update(key: Uint8Array, value: Uint8Array, flags: bigint): number;
  /** 0 or −errno. */
  delete(key: Uint8Array): number;
  /** Every key with a copy of its value, in the order in which BPF_MAP_GET_NEXT_KEY gives them. */
  entries(): Iterable<[key: Uint8Array, value: Uint8Array]>;
  /** Address of the value that a program's lookup on `cpu` (0) gives for `key`; undefined: not found (null). */
  valueAddr(key: Uint8Array, cpu?: number): bigint | undefined;
  /** Values that an entry has: 1; in per-CPU maps one a CPU. */
  readonly nValues: number;
  /**
   * Where values lie one behind the other by index, `stride` bytes apart: one region, in per-CPU maps one a
   * CPU. Undefined where they do not.
   */
  readonly valueRegions?: readonly Region[] | undefined;
  /** Bytes from one value to the next in `valueRegions`. */
  readonly stride?: number | undefined;
  /** Address of the first value, for direct access (BPF_PSEUDO_MAP_VALUE); undefined where the type has none. */
  readonly directValueAddr: bigint | undefined;
  /** From now on only programs can change it (BPF_MAP_FREEZE): update and delete from outside give −EPERM. */
  freeze(): void;
  readonly frozen: boolean;
  /** What helpers called by a program do; undefined: programs may not look into this type of map. */
  readonly programOps: MapProgramOps | undefined;
  /** Gives back memory and windows. */
  free(): void;
}

/**
 * Map operations as helpers do them. Keys and values are linear addresses of memory already checked; `cpu`
 * is the one whose value is meant in a per-CPU map.
 */
export interface MapProgramOps {
  /**
   * Where the value of the key at `keyAt` is, as an address relative to 0xffff8800_00000000 (region << 32
   * + offset, less than 2^47); 0: not found, or (per-CPU maps) there is no such CPU.
   */
  lookup(keyAt: number, cpu: number): number;
  /**
   * In hash maps, what the kernel's `__htab_map_lookup_elem` gives: the address, relative likewise, of an element
   * whose key lies `offsetof(struct htab_elem, key)` behind it; 0: not found. Undefined: as far in front of
   * the value as the kernel has it.
   */
  element?(keyAt: number): number;
  /** 0 or −errno. */
  update(keyAt: number, valueAt: number, flags: bigint, cpu: number): number;
  /** 0 or −errno. */
  delete(keyAt: number): number;
}
