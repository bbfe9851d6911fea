import { KERNEL_STRUCTS } from '../vm/kernel-structs.ts';

/** Where a kernel has the fields of maps that rewritten programs reach into; offsets in bytes. */
const { bpf_map, bpf_array, htab_elem } = KERNEL_STRUCTS;

/** `offsetof(struct bpf_map, …)`, all u32. */
export const BPF_MAP_TYPE = bpf_map.map_type;
export const BPF_MAP_KEY_SIZE = bpf_map.key_size;
export const BPF_MAP_VALUE_SIZE = bpf_map.value_size;
export const BPF_MAP_MAX_ENTRIES = bpf_map.max_entries;
export const BPF_MAP_FLAGS = bpf_map.map_flags;
export const BPF_MAP_ID = bpf_map.id;
/** `sizeof(struct bpf_map)`. */
export const BPF_MAP_SIZE = bpf_map.size;

/** `offsetof(struct bpf_array, elem_size)`, u32: `round_up(value_size, 8)`. */
export const BPF_ARRAY_ELEM_SIZE = bpf_array.elem_size;
/** `offsetof(struct bpf_array, index_mask)`, u32: entries rounded up to a power of two, minus 1. */
export const BPF_ARRAY_INDEX_MASK = bpf_array.index_mask;
/** `offsetof(struct bpf_array, value)`: the first value of an array. */
export const BPF_ARRAY_VALUE = bpf_array.value;
/** `offsetof(struct bpf_array, ptrs)`: the first program pointer of a program array. */
export const BPF_ARRAY_PTRS = bpf_array.ptrs;
/** `offsetof(struct bpf_array, pptrs)`: the first per-CPU pointer (8 bytes each) of a per-CPU array. */
export const BPF_ARRAY_PPTRS = bpf_array.pptrs;

/** `offsetof(struct htab_elem, key)`: the key, behind the links and the hash. */
export const HTAB_ELEM_KEY = htab_elem.key;

/** Bytes from a hash element (`__htab_map_lookup_elem`) to its value; the key has `keySize` bytes. */
export function htabElemValue(keySize: number): number {
  return HTAB_ELEM_KEY + Math.ceil(keySize / 8) * 8;
}
