/**
 * The program types that the bridge loads, as `enum bpf_prog_type` (include/uapi/linux/bpf.h) numbers them. Not
 * `syscall`: its programs make calls of bpf(2) when they run.
 */
const PROG_TYPE_NUMBERS: Readonly<Record<string, number>> = {
  socket_filter: 1,
  kprobe: 2,
  sched_cls: 3,
  sched_act: 4,
  tracepoint: 5,
  xdp: 6,
  raw_tracepoint: 17,
};

/** Number of a program type; undefined for one that the bridge does not load (`raw`, which is ours alone, among them). */
export function progTypeNumber(name: string): number | undefined {
  return PROG_TYPE_NUMBERS[name];
}

/** Name that the kernel takes for a program or a map: 15 letters, digits, `_` and `.` (`BPF_OBJ_NAME_LEN`). */
export function objectName(name: string): string {
  return name.replace(/[^\w.]/g, '_').slice(0, 15);
}
