import {
  BPF_FUNC_CSUM_DIFF,
  BPF_FUNC_GET_PRANDOM_U32,
  BPF_FUNC_GET_SMP_PROCESSOR_ID,
  BPF_FUNC_KTIME_GET_BOOT_NS,
  BPF_FUNC_KTIME_GET_COARSE_NS,
  BPF_FUNC_KTIME_GET_NS,
  BPF_FUNC_MAP_DELETE_ELEM,
  BPF_FUNC_MAP_LOOKUP_ELEM,
  BPF_FUNC_MAP_LOOKUP_PERCPU_ELEM,
  BPF_FUNC_MAP_UPDATE_ELEM,
  BPF_FUNC_SKB_LOAD_BYTES,
  BPF_FUNC_SKB_STORE_BYTES,
  BPF_FUNC_TRACE_PRINTK,
  BPF_FUNC_XDP_ADJUST_HEAD,
  BPF_FUNC_XDP_ADJUST_META,
  BPF_FUNC_XDP_ADJUST_TAIL,
} from '../isa/helper-ids.ts';
import { bpfCsumDiff } from './csum.ts';
import type { HelperImpl } from './impl.ts';
import { bpfMapDeleteElem, bpfMapLookupElem, bpfMapLookupPercpuElem, bpfMapUpdateElem } from './map.ts';
import { bpfSkbLoadBytes, bpfSkbStoreBytes } from './skb.ts';
import {
  bpfGetPrandomU32,
  bpfGetSmpProcessorId,
  bpfKtimeGetBootNs,
  bpfKtimeGetCoarseNs,
  bpfKtimeGetNs,
} from './system.ts';
import { bpfTracePrintk } from './trace-printk.ts';
import { bpfXdpAdjustHead, bpfXdpAdjustMeta, bpfXdpAdjustTail } from './xdp.ts';

/**
 * The helpers that are simulated, by number, once for all engines. `bpf_tail_call` is not among them:
 * engines do it themselves (`tail-call.ts`). A number that is missing is a `bad_helper` fault.
 */
export const HELPER_IMPLS: ReadonlyMap<number, HelperImpl> = new Map([
  [BPF_FUNC_MAP_LOOKUP_ELEM, bpfMapLookupElem],
  [BPF_FUNC_MAP_UPDATE_ELEM, bpfMapUpdateElem],
  [BPF_FUNC_MAP_DELETE_ELEM, bpfMapDeleteElem],
  [BPF_FUNC_KTIME_GET_NS, bpfKtimeGetNs],
  [BPF_FUNC_TRACE_PRINTK, bpfTracePrintk],
  [BPF_FUNC_GET_PRANDOM_U32, bpfGetPrandomU32],
  [BPF_FUNC_GET_SMP_PROCESSOR_ID, bpfGetSmpProcessorId],
  [BPF_FUNC_SKB_STORE_BYTES, bpfSkbStoreBytes],
  [BPF_FUNC_SKB_LOAD_BYTES, bpfSkbLoadBytes],
  [BPF_FUNC_CSUM_DIFF, bpfCsumDiff],
  [BPF_FUNC_XDP_ADJUST_HEAD, bpfXdpAdjustHead],
  [BPF_FUNC_XDP_ADJUST_META, bpfXdpAdjustMeta],
  [BPF_FUNC_XDP_ADJUST_TAIL, bpfXdpAdjustTail],
  [BPF_FUNC_KTIME_GET_BOOT_NS, bpfKtimeGetBootNs],
  [BPF_FUNC_KTIME_GET_COARSE_NS, bpfKtimeGetCoarseNs],
  [BPF_FUNC_MAP_LOOKUP_PERCPU_ELEM, bpfMapLookupPercpuElem],
]);
