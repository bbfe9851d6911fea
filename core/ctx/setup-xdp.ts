import type { RunEnv } from '../vm/cpu.ts';
import type { Machine } from '../vm/machine.ts';
import { checkFields } from './fields-in.ts';
import type { Prepared, RunInput } from './input.ts';
import {
  NET_DEVICE,
  SKB_SHARED_INFO,
  XDP_BUFF,
  XDP_FRAME_SZ,
  XDP_PACKET_HEADROOM,
  XDP_RXQ_INFO,
} from './offsets.ts';
import { allocRegions } from './regions.ts';

const SETTABLE: ReadonlySet<string> = new Set(['ingress_ifindex', 'rx_queue_index']);

/** Interface index of the loopback device, where TEST_RUN packets come from. */
const LOOPBACK_IFINDEX = 1n;

/**
 * An XDP packet as BPF_PROG_TEST_RUN lays it out: one page with 256 bytes of head room and the room that
 * `struct skb_shared_info` needs at the end; a larger packet gets a larger buffer. The structures behind
 * the context are kernel objects that programs only reach through rewritten accesses.
 */
export function prepareXdp(machine: Machine, cpu: number, input: RunInput): Prepared {
  const { space, memory } = machine;
  const target = machine.cpu(cpu);
  const { values, problems } = checkFields('xdp', input.ctx, SETTABLE);
  const { length } = input.data;
  const tailEnd = Math.max(XDP_FRAME_SZ, XDP_PACKET_HEADROOM + length + SKB_SHARED_INFO.size);
  const { packet, device, rxq, ctx } = allocRegions(machine, {
    packet: {
      name: 'packet',
      kind: 'packet',
      size: length,
      perm: 'rw',
      headroom: XDP_PACKET_HEADROOM,
      capacity: tailEnd - XDP_PACKET_HEADROOM - SKB_SHARED_INFO.size,
    },
    device: { name: 'net_device', kind: 'kernel', size: NET_DEVICE.size, perm: 'r' },
    rxq: { name: 'xdp_rxq_info', kind: 'kernel', size: XDP_RXQ_INFO.size, perm: 'r' },
    ctx: { name: 'ctx', kind: 'ctx', size: XDP_BUFF.size, perm: 'r' },
  });
  space.write(packet.addr, input.data);

  const { view } = memory;
  view.setUint32(
    device.base + NET_DEVICE.ifindex,
    Number(values.get('ingress_ifindex') ?? LOOPBACK_IFINDEX),
    true,
  );
  view.setBigUint64(rxq.base + XDP_RXQ_INFO.dev, device.addr, true);
  view.setUint32(rxq.base + XDP_RXQ_INFO.queue_index, Number(values.get('rx_queue_index') ?? 0n), true);
  view.setBigUint64(ctx.base + XDP_BUFF.data, packet.addr, true);
  view.setBigUint64(ctx.base + XDP_BUFF.data_end, packet.addr + BigInt(length), true);
  view.setBigUint64(ctx.base + XDP_BUFF.data_meta, packet.addr, true);
  view.setBigUint64(ctx.base + XDP_BUFF.rxq, rxq.addr, true);
  view.setUint32(ctx.base + XDP_BUFF.frame_sz, tailEnd, true);

  const env: RunEnv = { kind: 'xdp', ctx, packet };
  target.current = env;
  const pointer = (offset: number): bigint => memory.view.getBigUint64(ctx.base + offset, true);
  let disposed = false;
  return {
    r1: ctx.addr,
    problems,
    dataOut() {
      const data = pointer(XDP_BUFF.data);
      const meta = pointer(XDP_BUFF.data_meta);
      // TEST_RUN hands the meta data back in front of the packet; nobody else would take it for packet.
      const from = input.attach === 'test_run' && meta < data ? meta : data;
      return space.read(from, Number(pointer(XDP_BUFF.data_end) - from)) ?? new Uint8Array();
    },
    ctxOut() {
      const meta = pointer(XDP_BUFF.data_meta);
      const from = meta > pointer(XDP_BUFF.data) ? pointer(XDP_BUFF.data) : meta;
      return {
        data: pointer(XDP_BUFF.data) - from,
        data_end: pointer(XDP_BUFF.data_end) - from,
        data_meta: 0n,
        ingress_ifindex: BigInt(memory.view.getUint32(device.base + NET_DEVICE.ifindex, true)),
        rx_queue_index: BigInt(memory.view.getUint32(rxq.base + XDP_RXQ_INFO.queue_index, true)),
      };
    },
    dispose() {
      if (disposed) return;
      disposed = true;
      if (target.current === env) target.current = undefined;
      if (env.packet) space.free(env.packet);
      for (const region of [device, rxq, ctx]) space.free(region);
    },
  };
}
