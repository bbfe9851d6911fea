import { SK_BUFF } from '../ctx/offsets.ts';
import type { Cpu } from '../vm/cpu.ts';
import type { Problem } from '../vm/fault.ts';
import type { Machine } from '../vm/machine.ts';

/** Offsets from here on count from the network header, from the MAC header (include/uapi/linux/filter.h). */
const SKF_NET_OFF = -0x100000;
const SKF_LL_OFF = -0x200000;
/** `mac_header` of a packet that has none. */
const NO_HEADER = 0xffff;

/**
 * Where BPF_LD with mode BPF_ABS or BPF_IND reads: linear address of `size` bytes at `offset` (signed 32
 * bits) of the packet of the skb in R6. Not negative: from `skb->data`, inside `skb->len`. Negative: as
 * bpf_internal_load_pointer_neg_helper(), kernel/bpf/core.c, from the network header (SKF_NET_OFF) or the
 * MAC header (SKF_LL_OFF), inside the buffer. undefined: out of bounds. A Problem: R6 holds no skb.
 */
export function loadPacket(
  machine: Machine,
  cpu: Cpu,
  offset: number,
  size: number,
): number | Problem | undefined {
  const env = cpu.current;
  const address = cpu.readReg(6);
  if (env?.kind !== 'skb' || env.ctx === undefined || env.packet === undefined || env.ctx.addr !== address) {
    return {
      kind: 'helper_argument',
      address,
      message: `legacy packet access: r6 must hold the context of a socket_filter or sched_cls program, is ${
        machine.space.describe(address) ?? `0x${address.toString(16)}`
      }`,
    };
  }
  const { view } = machine.memory;
  const skb = env.ctx.base;
  const { packet } = env;
  const end = packet.base + packet.size;
  if (offset >= 0) {
    const data = packet.base + Number(view.getBigUint64(skb + SK_BUFF.data, true) - packet.addr);
    return inside(
      data + offset,
      size,
      packet.base,
      Math.min(end, data + view.getUint32(skb + SK_BUFF.len, true)),
    );
  }
  // The packet's first byte as an offset from skb->head, which header offsets count from.
  const first = view.getUint32(skb + SK_BUFF.tail, true) - packet.size;
  const field = offset >= SKF_NET_OFF ? SK_BUFF.network_header : SK_BUFF.mac_header;
  const header = view.getUint16(skb + field, true);
  if (offset < SKF_LL_OFF || header === NO_HEADER) return undefined;
  const distance = offset - (offset >= SKF_NET_OFF ? SKF_NET_OFF : SKF_LL_OFF);
  return inside(packet.base + header - first + distance, size, packet.base, end);
}

function inside(at: number, size: number, start: number, end: number): number | undefined {
  return at >= start && at + size <= end ? at : undefined;
}
