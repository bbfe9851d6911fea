import { SK_BUFF } from '../ctx/offsets.ts';
import { BPF_FUNC_SKB_LOAD_BYTES, BPF_FUNC_SKB_STORE_BYTES } from '../isa/helper-ids.ts';
import { EFAULT, EINVAL } from '../maps/errno.ts';
import type { Region } from '../vm/region.ts';
import { HelperCall } from './args.ts';
import type { HelperImpl } from './impl.ts';

const INT_MAX = 0x7fffffff;
const BPF_F_RECOMPUTE_CSUM = 1n;
const BPF_F_INVALIDATE_HASH = 2n;

/**
 * `long bpf_skb_load_bytes(skb, offset, to, len)`: copies packet bytes from `skb->data + offset`. Out of
 * bounds: `to` is zeroed and the result −EFAULT.
 */
export const bpfSkbLoadBytes: HelperImpl = (machine, cpu, regs) => {
  const call = new HelperCall(BPF_FUNC_SKB_LOAD_BYTES, machine, cpu, regs);
  const env = call.context(1, 'skb');
  if (env === undefined) return call.fault;
  const size = call.u32(4);
  const to = call.memory(3, size, 'write', 'destination');
  if (to === 0) return call.fault;
  const from = packetBytes(call, env, call.u32(2), size);
  const { bytes } = machine.memory;
  if (from === undefined) {
    bytes.fill(0, to, to + size);
    return call.result(-EFAULT);
  }
  bytes.copyWithin(to, from, from + size);
  return call.result(0);
};

/**
 * `long bpf_skb_store_bytes(skb, offset, from, len, flags)`: overwrites packet bytes. The packet here has
 * no checksum that the device computed, so BPF_F_RECOMPUTE_CSUM has nothing to adjust.
 */
export const bpfSkbStoreBytes: HelperImpl = (machine, cpu, regs) => {
  const call = new HelperCall(BPF_FUNC_SKB_STORE_BYTES, machine, cpu, regs);
  const env = call.context(1, 'skb');
  if (env === undefined) return call.fault;
  const size = call.u32(4);
  const from = call.memory(3, size, 'read', 'source');
  if (from === 0) return call.fault;
  const flags = call.u64(5);
  if (flags & ~(BPF_F_RECOMPUTE_CSUM | BPF_F_INVALIDATE_HASH)) return call.result(-EINVAL);
  const to = packetBytes(call, env, call.u32(2), size);
  if (to === undefined) return call.result(-EFAULT);
  machine.memory.bytes.copyWithin(to, from, from + size);
  if (flags & BPF_F_INVALIDATE_HASH) machine.memory.view.setUint32(env.ctx.base + SK_BUFF.hash, 0, true);
  return call.result(0);
};

/** Linear address of `size` bytes at `skb->data + offset`; undefined when not all are in the packet. */
function packetBytes(
  call: HelperCall,
  env: { readonly ctx: Region; readonly packet: Region },
  offset: number,
  size: number,
): number | undefined {
  if (offset > INT_MAX) return undefined;
  const { view } = call.machine.memory;
  const data = Number(view.getBigUint64(env.ctx.base + SK_BUFF.data, true) - env.packet.addr);
  const length = view.getUint32(env.ctx.base + SK_BUFF.len, true);
  return offset + size <= length ? env.packet.base + data + offset : undefined;
}
