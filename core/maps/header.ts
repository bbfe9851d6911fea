import { mapTypeByName } from '../object/map-types.ts';
import type { RegionOptions } from '../vm/address-space.ts';
import type { Machine } from '../vm/machine.ts';
import type { BpfMap, MapAttr } from '../vm/map.ts';
import type { Region } from '../vm/region.ts';
import { BPF_ARRAY_VALUE } from './kernel-layout.ts';

/**
 * A map's own region (our `struct bpf_map`, all u32, in linear memory, for helpers and inlined
 * lookups; no program may access it):
 *
 *     +0  id             +16 max_entries         +32 first value or element, linear address
 *     +4  type (uapi)    +20 map_flags           +36 bytes from one to the next
 *     +8  key_size       +24 lock word           +40 first bucket, linear address   (hash)
 *     +12 value_size     +28 entries in use      +44 buckets − 1                    (hash)
 *                                                +48 first free element, linear address, 0: none (hash)
 */
export const MAP_HEADER_SIZE = 96;
export const MAP_ID = 0;
export const MAP_TYPE = 4;
export const MAP_KEY_SIZE = 8;
export const MAP_VALUE_SIZE = 12;
export const MAP_MAX_ENTRIES = 16;
export const MAP_FLAGS = 20;
export const MAP_LOCK = 24;
export const MAP_COUNT = 28;
export const MAP_VALUES = 32;
export const MAP_STRIDE = 36;
export const MAP_BUCKETS = 40;
export const MAP_BUCKET_MASK = 44;
export const MAP_FREE = 48;

/** `BPF_ANY` … of BPF_MAP_UPDATE_ELEM (include/uapi/linux/bpf.h). */
export const BPF_ANY = 0n;
export const BPF_NOEXIST = 1n;
export const BPF_EXIST = 2n;
export const BPF_F_LOCK = 4n;

/** `map_flags` of BPF_MAP_CREATE. */
export const BPF_F_NO_PREALLOC = 1 << 0;
export const BPF_F_NUMA_NODE = 1 << 2;
export const BPF_F_RDONLY = 1 << 3;
export const BPF_F_WRONLY = 1 << 4;
export const BPF_F_ZERO_SEED = 1 << 6;
export const BPF_F_RDONLY_PROG = 1 << 7;
export const BPF_F_WRONLY_PROG = 1 << 8;
export const BPF_F_MMAPABLE = 1 << 10;

/**
 * Makes the region `map NAME` with the attributes written in, and `beside` in the windows behind it. The
 * map pointer of a map whose type has `beside` lies BPF_ARRAY_VALUE bytes in front of the first of them.
 * Throws MemoryLimitError, with nothing taken.
 */
export function allocHeader(
  machine: Machine,
  id: number,
  def: MapAttr,
  beside: readonly RegionOptions[],
): [header: Region, ...beside: Region[]] {
  const name = `map ${def.name}`;
  const origin = beside.length > 0 ? -BPF_ARRAY_VALUE : 0;
  const options = { name, kind: 'map', size: MAP_HEADER_SIZE, perm: 'none', origin } as const;
  const [region, ...others] = machine.space.allocAll([options, ...beside]);
  if (region === undefined) throw new RangeError('a map without a region');
  const { view } = machine.memory;
  view.setUint32(region.base + MAP_ID, id, true);
  view.setUint32(region.base + MAP_TYPE, mapTypeByName(def.type)?.id ?? 0, true);
  view.setUint32(region.base + MAP_KEY_SIZE, def.keySize, true);
  view.setUint32(region.base + MAP_VALUE_SIZE, def.valueSize, true);
  view.setUint32(region.base + MAP_MAX_ENTRIES, def.maxEntries, true);
  view.setUint32(region.base + MAP_FLAGS, def.flags, true);
  return [region, ...others];
}

/** The map that address `addr` (unsigned 64 bits) points to; undefined: it is no map pointer. */
export function mapAtAddr(machine: Machine, addr: bigint): BpfMap | undefined {
  const region = machine.space.regionAt(addr);
  if (region?.kind !== 'map') return undefined;
  const map = machine.maps.get(machine.memory.view.getUint32(region.base + MAP_ID, true));
  return map?.addr === addr ? map : undefined;
}

/** What programs may do with the values, by the map's flags. */
export function valuePerm(flags: number): 'rw' | 'r' | 'none' {
  if (flags & BPF_F_WRONLY_PROG) return 'none';
  return flags & BPF_F_RDONLY_PROG ? 'r' : 'rw';
}

/** Has an element of maps of this type a value for each CPU? */
export function isPercpu({ type }: MapAttr): boolean {
  return type.startsWith('percpu_') || type.startsWith('lru_percpu_');
}

/** `n` rounded up to a multiple of 8: how far apart the kernel lays keys and values out. */
export function roundUp8(n: number): number {
  return Math.ceil(n / 8) * 8;
}
