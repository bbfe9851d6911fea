import type { MapDef } from '../object/object.ts';
import type { RegionOptions } from '../vm/address-space.ts';
import type { Machine } from '../vm/machine.ts';
import type { BpfMap } from '../vm/map.ts';
import { MemoryLimitError } from '../vm/memory.ts';
import type { Region } from '../vm/region.ts';
import { ArrayMap } from './array.ts';
import { E2BIG, EINVAL, ENOMEM, errnoName } from './errno.ts';
import { HashMap } from './hash.ts';
import * as header from './header.ts';
import { PercpuArrayMap } from './percpu-array.ts';
import { PercpuHashMap, percpuElementSize } from './percpu-hash.ts';
import { ProgArrayMap } from './prog-array.ts';

/** Why a map was not created. */
export interface MapRefusal {
  /** Negative errno, as BPF_MAP_CREATE gives it. */
  readonly errno: number;
  /** Names the map, what is wrong and what would be right. */
  readonly message: string;
}

interface MapType {
  readonly make: (machine: Machine, id: number, def: MapDef, region: Region, beside: Region[]) => BpfMap;
  /** Regions in the windows behind the header's. */
  readonly beside?: (def: MapDef, machine: Machine) => RegionOptions[];
  readonly flags: number;
  readonly keySize: number | undefined;
  readonly valueSize: number | undefined;
}

const ACCESS_FLAGS =
  header.BPF_F_RDONLY | header.BPF_F_WRONLY | header.BPF_F_RDONLY_PROG | header.BPF_F_WRONLY_PROG;

const TYPES: ReadonlyMap<string, MapType> = new Map<string, MapType>([
  [
    'array',
    {
      make: (machine, id, def, region, beside) => new ArrayMap(machine, id, def, region, one(beside)),
      beside: ArrayMap.beside,
      flags: header.BPF_F_NUMA_NODE | header.BPF_F_MMAPABLE | ACCESS_FLAGS,
      keySize: 4,
      valueSize: undefined,
    },
  ],
  [
    'hash',
    {
      make: (machine, id, def, region) => new HashMap(machine, id, def, region),
      flags: header.BPF_F_NO_PREALLOC | header.BPF_F_NUMA_NODE | header.BPF_F_ZERO_SEED | ACCESS_FLAGS,
      keySize: undefined,
      valueSize: undefined,
    },
  ],
  [
    'percpu_hash',
    {
      make: (machine, id, def, region) => new PercpuHashMap(machine, id, def, region),
      flags: header.BPF_F_NO_PREALLOC | header.BPF_F_ZERO_SEED | ACCESS_FLAGS,
      keySize: undefined,
      valueSize: undefined,
    },
  ],
  [
    'percpu_array',
    {
      make: (machine, id, def, region, beside) => new PercpuArrayMap(machine, id, def, region, beside),
      beside: PercpuArrayMap.beside,
      flags: ACCESS_FLAGS,
      keySize: 4,
      valueSize: undefined,
    },
  ],
  [
    'prog_array',
    {
      make: (machine, id, def, region) => new ProgArrayMap(machine, id, def, region),
      flags: header.BPF_F_NUMA_NODE | ACCESS_FLAGS,
      keySize: 4,
      valueSize: 4,
    },
  ],
]);

/** Types that can be created, as `MapDef.type` names them. */
export const SIMULATED_MAP_TYPES: readonly string[] = [...TYPES.keys()];

/** Largest key, and largest key and value together, of a hash element (KMALLOC_MAX_SIZE, 4 MiB). */
const MAX_ELEMENT = 4 * 1024 * 1024;
/** Largest value of a per-CPU map (PCPU_MIN_UNIT_SIZE, 32 KiB). */
const MAX_PERCPU_VALUE = 32 * 1024;
/** Largest region. */
const MAX_BYTES = 2 ** 31 - 1;

/**
 * Creates the map that `def` defines, with its initial entries, and enters it in `machine.maps`
 * (BPF_MAP_CREATE). A definition that the kernel refuses gives its errno; so does one that this machine
 * has no memory for (−ENOMEM). BPF_F_RDONLY and BPF_F_WRONLY, which bind file descriptors, are accepted
 * and have no effect: there are none.
 */
export function createMap(machine: Machine, def: MapDef): BpfMap | MapRefusal {
  const type = TYPES.get(def.type);
  if (type === undefined) {
    return refuse(
      def,
      EINVAL,
      `map type ${def.type} is not simulated yet; use ${SIMULATED_MAP_TYPES.join(', ')}`,
    );
  }
  const wrong = checkAttr(def, type);
  if (wrong !== undefined) return wrong;
  const map = make(machine, def, type);
  if (isRefusal(map)) return map;
  machine.maps.set(map.id, map);
  for (const [index, entry] of (def.entries ?? []).entries()) {
    const errno = map.update(entry.key, initialValue(machine, def, entry.value), header.BPF_ANY);
    if (errno === 0) continue;
    freeMap(machine, map);
    const sizes = `keys have ${def.keySize} bytes, values ${def.valueSize}, and there can be ${def.maxEntries}`;
    return refuse(def, -errno, `initial entry ${index} is refused (${errnoName(errno)}): ${sizes}`);
  }
  return map;
}

/** An initial value of a per-CPU map of `value_size` bytes is that of every CPU, as `bpftool map update` has it. */
function initialValue(machine: Machine, def: MapDef, value: Uint8Array): Uint8Array {
  if (!header.isPercpu(def) || value.length !== def.valueSize) return value;
  const stride = header.roundUp8(def.valueSize);
  const all = new Uint8Array(stride * machine.nCpus);
  for (let at = 0; at < all.length; at += stride) all.set(value, at);
  return all;
}

/** The map in its memory; a refusal, and nothing taken, when there is not enough. */
function make(machine: Machine, def: MapDef, type: MapType): BpfMap | MapRefusal {
  let taken: Region[] = [];
  try {
    const id = machine.takeMapId();
    const [region, ...beside] = header.allocHeader(machine, id, def, type.beside?.(def, machine) ?? []);
    taken = [region, ...beside];
    return type.make(machine, id, def, region, beside);
  } catch (error) {
    if (!(error instanceof MemoryLimitError)) throw error;
    for (const region of taken) machine.space.free(region);
    return refuse(def, ENOMEM, error.message);
  }
}

/** Is it a refusal? */
export function isRefusal(result: BpfMap | MapRefusal): result is MapRefusal {
  return 'errno' in result;
}

/** Takes the map out of the machine and gives back its memory. */
export function freeMap(machine: Machine, map: BpfMap): void {
  machine.maps.delete(map.id);
  map.free();
}

function one(regions: readonly Region[]): Region {
  const [region] = regions;
  if (region === undefined) throw new RangeError('a map without the region for its values');
  return region;
}

function checkAttr(def: MapDef, type: MapType): MapRefusal | undefined {
  for (const [what, number] of [
    ['key_size', def.keySize],
    ['value_size', def.valueSize],
    ['max_entries', def.maxEntries],
  ] as const) {
    if (!Number.isInteger(number) || number < 0 || number > 0xffffffff) {
      return refuse(def, EINVAL, `${what} is ${number}; it must be 1 … 4294967295`);
    }
    if (number === 0) return refuse(def, EINVAL, `${what} must not be 0`);
  }
  if (type.keySize !== undefined && def.keySize !== type.keySize) {
    return refuse(
      def,
      EINVAL,
      `key_size is ${def.keySize}; a map of type ${def.type} has keys of ${type.keySize} bytes`,
    );
  }
  if (type.valueSize !== undefined && def.valueSize !== type.valueSize) {
    const message = `value_size is ${def.valueSize}; a map of type ${def.type} has values of ${type.valueSize} bytes`;
    return refuse(def, EINVAL, message);
  }
  return checkFlags(def, type) ?? checkSize(def);
}

function checkFlags(def: MapDef, type: MapType): MapRefusal | undefined {
  const hex = (flags: number): string => `0x${(flags >>> 0).toString(16)}`;
  const unknown = def.flags & ~type.flags;
  if (unknown !== 0) {
    return refuse(
      def,
      EINVAL,
      `flags ${hex(unknown)} are not for maps of type ${def.type} (allowed: ${hex(type.flags)})`,
    );
  }
  const both = header.BPF_F_RDONLY_PROG | header.BPF_F_WRONLY_PROG;
  if ((def.flags & both) === both) {
    return refuse(def, EINVAL, 'BPF_F_RDONLY_PROG and BPF_F_WRONLY_PROG exclude each other');
  }
  return undefined;
}

function checkSize(def: MapDef): MapRefusal | undefined {
  const isHash = def.type === 'hash' || def.type === 'percpu_hash';
  if (isHash && def.keySize + def.valueSize >= MAX_ELEMENT) {
    return refuse(
      def,
      E2BIG,
      `key and value have ${def.keySize + def.valueSize} bytes; they must have less than ${MAX_ELEMENT}`,
    );
  }
  if (header.isPercpu(def) && def.valueSize > MAX_PERCPU_VALUE) {
    const message = `value_size is ${def.valueSize}; a per-CPU value has at most ${MAX_PERCPU_VALUE} bytes`;
    return refuse(def, E2BIG, message);
  }
  const total = elementSize(def) * def.maxEntries;
  if (def.valueSize > MAX_BYTES)
    return refuse(def, E2BIG, `value_size is ${def.valueSize}; it must be less than 2^31`);
  if (total > MAX_BYTES)
    return refuse(def, ENOMEM, `its ${total} bytes do not fit; a map can have at most ${MAX_BYTES}`);
  return undefined;
}

/** Bytes that an element takes in the largest region of its map. */
function elementSize(def: MapDef): number {
  const value = header.roundUp8(def.valueSize);
  if (def.type === 'hash') return 16 + header.roundUp8(def.keySize) + value;
  return def.type === 'percpu_hash' ? Math.max(percpuElementSize(def), value) : value;
}

function refuse(def: MapDef, errno: number, message: string): MapRefusal {
  return { errno: -errno, message: `map ${def.name}: ${message}` };
}
