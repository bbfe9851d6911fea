/** `enum bpf_prog_type`, include/uapi/linux/bpf.h, by the names that programs have here. */
const PROG_TYPE_NUMBERS: Readonly<Record<string, number>> = {
  socket_filter: 1,
  kprobe: 2,
  sched_cls: 3,
  sched_act: 4,
  tracepoint: 5,
  xdp: 6,
  raw_tracepoint: 17,
};

/** `enum bpf_map_type`, by the uapi names in lower case. */
const MAP_TYPE_NUMBERS: Readonly<Record<string, number>> = {
  hash: 1,
  array: 2,
  prog_array: 3,
  perf_event_array: 4,
  percpu_hash: 5,
  percpu_array: 6,
  lru_hash: 9,
  lru_percpu_hash: 10,
  lpm_trie: 11,
  queue: 22,
  stack: 23,
  ringbuf: 27,
};

/** Number of a program type; undefined for one that the kernel or this list does not have (`raw`). */
export function progTypeNumber(name: string): number | undefined {
  return PROG_TYPE_NUMBERS[name];
}

/** Number of a map type; undefined for one that this list does not have. */
export function mapTypeNumber(name: string): number | undefined {
  return MAP_TYPE_NUMBERS[name];
}

/** Do the map's values come as one a CPU, each padded to 8 bytes? */
export function isPerCpu(type: string): boolean {
  return type.startsWith('percpu_') || type === 'lru_percpu_hash';
}

/** Name that the kernel takes for a program or a map: 15 letters, digits, `_` and `.` (`BPF_OBJ_NAME_LEN`). */
export function objectName(name: string): string {
  return name.replace(/[^\w.]/g, '_').slice(0, 15);
}
