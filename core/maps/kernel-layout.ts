/**
 * Where Linux 6.18 (x86-64) has the fields of maps that rewritten programs reach into. Read from its BTF
 * (`bpftool btf dump file /sys/kernel/btf/vmlinux`): offsets in bytes, facts, no code.
 */

/** `offsetof(struct bpf_map, …)`, all u32. */
export const BPF_MAP_TYPE = 64;
export const BPF_MAP_KEY_SIZE = 68;
export const BPF_MAP_VALUE_SIZE = 72;
export const BPF_MAP_MAX_ENTRIES = 76;
export const BPF_MAP_FLAGS = 88;
export const BPF_MAP_ID = 92;
/** `sizeof(struct bpf_map)`. */
export const BPF_MAP_SIZE = 296;

/** `offsetof(struct bpf_array, elem_size)`, u32: `round_up(value_size, 8)`. */
export const BPF_ARRAY_ELEM_SIZE = 296;
/** `offsetof(struct bpf_array, index_mask)`, u32: entries rounded up to a power of two, minus 1. */
export const BPF_ARRAY_INDEX_MASK = 300;
/** `offsetof(struct bpf_array, value)`: the first value of an array. */
export const BPF_ARRAY_VALUE = 312;
/** `offsetof(struct bpf_array, ptrs)`: the first program pointer of a program array. */
export const BPF_ARRAY_PTRS = 312;
/** `offsetof(struct bpf_array, pptrs)`: the first per-CPU pointer (8 bytes each) of a per-CPU array. */
export const BPF_ARRAY_PPTRS = 312;

/** `offsetof(struct htab_elem, key)`: the key, behind the links and the hash. */
export const HTAB_ELEM_KEY = 48;

/** Bytes from a hash element (`__htab_map_lookup_elem`) to its value; the key has `keySize` bytes. */
export function htabElemValue(keySize: number): number {
  return HTAB_ELEM_KEY + Math.ceil(keySize / 8) * 8;
}
