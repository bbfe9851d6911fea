/**
 * Numbers of those helpers that rewriting, engines and checks treat in a way of their own (`enum bpf_func_id`,
 * include/uapi/linux/bpf.h). What helpers there are, and how they are called, is in `helpers.ts`.
 */

export const BPF_FUNC_MAP_LOOKUP_ELEM = 1;
export const BPF_FUNC_MAP_UPDATE_ELEM = 2;
export const BPF_FUNC_MAP_DELETE_ELEM = 3;
export const BPF_FUNC_GET_SMP_PROCESSOR_ID = 8;
/** Each engine makes tail calls itself, for no helper can change the program. */
export const BPF_FUNC_TAIL_CALL = 12;
export const BPF_FUNC_SKB_PULL_DATA = 39;
export const BPF_FUNC_MAP_LOOKUP_PERCPU_ELEM = 195;
