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
 * The helpers that are simulated, by number, once for all engines. `bpf_tail_call` (12) is not among them:
 * engines do it themselves (`tail-call.ts`). A number that is missing is a `bad_helper` fault.
 */
export const HELPER_IMPLS: ReadonlyMap<number, HelperImpl> = new Map([
  [1, bpfMapLookupElem],
  [2, bpfMapUpdateElem],
  [3, bpfMapDeleteElem],
  [5, bpfKtimeGetNs],
  [6, bpfTracePrintk],
  [7, bpfGetPrandomU32],
  [8, bpfGetSmpProcessorId],
  [9, bpfSkbStoreBytes],
  [26, bpfSkbLoadBytes],
  [28, bpfCsumDiff],
  [44, bpfXdpAdjustHead],
  [54, bpfXdpAdjustMeta],
  [65, bpfXdpAdjustTail],
  [125, bpfKtimeGetBootNs],
  [160, bpfKtimeGetCoarseNs],
  [195, bpfMapLookupPercpuElem],
]);
