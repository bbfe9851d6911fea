/**
 * Numbers of the helpers that are simulated, or that rewriting and checks treat in a way of their own (`enum
 * bpf_func_id`, include/uapi/linux/bpf.h). All that there are, and how they are called, is in `helpers.ts`.
 */

export const BPF_FUNC_MAP_LOOKUP_ELEM = 1;
export const BPF_FUNC_MAP_UPDATE_ELEM = 2;
export const BPF_FUNC_MAP_DELETE_ELEM = 3;
export const BPF_FUNC_KTIME_GET_NS = 5;
export const BPF_FUNC_TRACE_PRINTK = 6;
export const BPF_FUNC_GET_PRANDOM_U32 = 7;
export const BPF_FUNC_GET_SMP_PROCESSOR_ID = 8;
export const BPF_FUNC_SKB_STORE_BYTES = 9;
/** Each engine makes tail calls itself, for no helper can change the program. */
export const BPF_FUNC_TAIL_CALL = 12;
export const BPF_FUNC_SKB_LOAD_BYTES = 26;
export const BPF_FUNC_CSUM_DIFF = 28;
export const BPF_FUNC_SKB_PULL_DATA = 39;
export const BPF_FUNC_XDP_ADJUST_HEAD = 44;
export const BPF_FUNC_XDP_ADJUST_META = 54;
export const BPF_FUNC_XDP_ADJUST_TAIL = 65;
export const BPF_FUNC_KTIME_GET_BOOT_NS = 125;
export const BPF_FUNC_KTIME_GET_COARSE_NS = 160;
export const BPF_FUNC_MAP_LOOKUP_PERCPU_ELEM = 195;
