import { NET_DEVICE, SK_BUFF } from '../ctx/offsets.ts';
import type { Cpu } from '../vm/cpu.ts';
import type { Problem } from '../vm/fault.ts';
import type { Machine } from '../vm/machine.ts';
import { skbGetPoff } from './skb-get-poff.ts';

/**
 * What `SKF_AD_PAY_OFFSET` loads: `bpf_skb_get_pay_offset`, net/core/filter.c. A Problem where no socket
 * buffer is there.
 */
export function skbPayOffset(machine: Machine, cpu: Cpu): number | Problem {
  const env = cpu.current;
  if (env?.kind !== 'skb' || env.ctx === undefined || env.packet === undefined) return NO_SKB;
  const { view } = machine.memory;
  const { packet, ctx } = env;
  const data = packet.base + Number(view.getBigUint64(ctx.base + SK_BUFF.data, true) - packet.addr);
  const end = Math.min(packet.base + packet.size, data + view.getUint32(ctx.base + SK_BUFF.len, true));
  // headers count from skb->head, and the MAC header is the packet's first byte
  const network = packet.base - data + networkOffset(view, ctx.base);
  return skbGetPoff(
    {
      length: end - data,
      read(offset, size) {
        const at = data + offset;
        if (at < packet.base || at + size > end) return undefined;
        if (size === 1) return view.getUint8(at);
        return size === 2 ? view.getUint16(at, false) : view.getUint32(at, false);
      },
    },
    view.getUint16(ctx.base + SK_BUFF.protocol, false),
    network,
  );
}

/** What `SKF_AD_HATYPE` loads: `skb->dev->type`. A Problem where no socket buffer is there. */
export function skbDevType(machine: Machine, cpu: Cpu): number | Problem {
  const env = cpu.current;
  if (env?.kind !== 'skb' || env.ctx === undefined) return NO_SKB;
  const device = machine.memory.view.getBigUint64(env.ctx.base + SK_BUFF.dev, true);
  const bytes = machine.space.read(device + BigInt(NET_DEVICE.type), 2);
  return bytes === undefined ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint16(0, true);
}

const NO_SKB: Problem = {
  kind: 'helper_argument',
  message: 'this extension of classic BPF needs a socket_filter or sched_cls program',
};

/** Of the network header from the MAC header. */
function networkOffset(view: DataView, skb: number): number {
  return view.getUint16(skb + SK_BUFF.network_header, true) - view.getUint16(skb + SK_BUFF.mac_header, true);
}
