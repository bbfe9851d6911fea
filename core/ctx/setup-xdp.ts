import type { RunEnv } from '../vm/cpu.ts';
import type { Machine } from '../vm/machine.ts';
import { checkFields } from './fields-in.ts';
import type { Prepared, RunInput } from './input.ts';
import {
  ETH_HLEN,
  NET_DEVICE,
  SKB_SHARED_INFO,
  XDP_BUFF,
  XDP_FRAME_SIZE,
  XDP_FRAME_SZ,
  XDP_PACKET_HEADROOM,
  XDP_RXQ_INFO,
} from './offsets.ts';
import { allocRegions } from './regions.ts';

const SETTABLE: ReadonlySet<string> = new Set(['ingress_ifindex', 'rx_queue_index']);
/** BPF_PROG_TEST_RUN takes back the context it gave: `data` is the length of the metadata in front. */
const SETTABLE_IN_TEST_RUN: ReadonlySet<string> = new Set([...SETTABLE, 'data', 'data_end']);

/** Interface index of the loopback device, where TEST_RUN packets come from. */
const LOOPBACK_IFINDEX = 1n;

/**
 * An XDP packet as BPF_PROG_TEST_RUN lays it out: one page with 256 bytes of head room and the room that
 * `struct skb_shared_info` needs at the end; a larger packet gets a larger buffer. The structures behind
 * the context are kernel objects that programs only reach through rewritten accesses. With `attach:
 * 'test_run'` the context's `data` says how many of the first bytes are metadata, not packet.
 */
export function prepareXdp(machine: Machine, cpu: number, input: RunInput): Prepared {
  const { space, memory } = machine;
  const target = machine.cpu(cpu);
  const testRun = input.attach === 'test_run';
  const checked = checkFields('xdp', input.ctx, testRun ? SETTABLE_IN_TEST_RUN : SETTABLE);
  const { values } = checked;
  const { length } = input.data;
  const problems = [...checked.problems, ...extentProblems(values, length)];
  const metadata = problems.length === 0 ? Number(values.get('data') ?? 0n) : 0;
  const headroom = XDP_PACKET_HEADROOM - metadata;
  const tailEnd = Math.max(XDP_FRAME_SZ, headroom + length + SKB_SHARED_INFO.size);
  const { packet, device, rxq, ctx } = allocRegions(machine, {
    packet: {
      name: 'packet',
      kind: 'packet',
      size: length,
      perm: 'rw',
      headroom,
      capacity: tailEnd - headroom - SKB_SHARED_INFO.size,
    },
    device: { name: 'net_device', kind: 'kernel', size: NET_DEVICE.size, perm: 'r' },
    rxq: { name: 'xdp_rxq_info', kind: 'kernel', size: XDP_RXQ_INFO.size, perm: 'r' },
    ctx: { name: 'ctx', kind: 'ctx', size: XDP_BUFF.size, perm: 'r' },
  });
  space.write(packet.addr, input.data);
  if (metadata > 0) space.resize(packet, { origin: metadata });

  const { view } = memory;
  const ifindex = values.get('ingress_ifindex') ?? LOOPBACK_IFINDEX;
  // For TEST_RUN 0 means no choice; the context comes back with the 0.
  const received = testRun && ifindex === 0n ? LOOPBACK_IFINDEX : ifindex;
  view.setUint32(device.base + NET_DEVICE.ifindex, Number(received), true);
  view.setBigUint64(rxq.base + XDP_RXQ_INFO.dev, device.addr, true);
  view.setUint32(rxq.base + XDP_RXQ_INFO.queue_index, Number(values.get('rx_queue_index') ?? 0n), true);
  view.setBigUint64(ctx.base + XDP_BUFF.data, packet.addr + BigInt(metadata), true);
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
      const from = testRun && meta < data ? meta : data;
      return space.read(from, Number(pointer(XDP_BUFF.data_end) - from)) ?? new Uint8Array();
    },
    ctxOut() {
      const meta = pointer(XDP_BUFF.data_meta);
      const from = meta > pointer(XDP_BUFF.data) ? pointer(XDP_BUFF.data) : meta;
      return {
        data: pointer(XDP_BUFF.data) - from,
        data_end: pointer(XDP_BUFF.data_end) - from,
        data_meta: 0n,
        ingress_ifindex: ifindex,
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

/** What the kernel answers with EINVAL: metadata of a wrong length, or an end that is not the data's. */
function extentProblems(values: ReadonlyMap<string, bigint>, length: number): string[] {
  const metadata = Number(values.get('data') ?? 0n);
  const end = Number(values.get('data_end') ?? 0n);
  const most = Math.min(XDP_PACKET_HEADROOM - XDP_FRAME_SIZE, length - ETH_HLEN);
  const problems: string[] = [];
  if (metadata > 0 && (metadata % 4 !== 0 || metadata > most)) {
    problems.push(
      `data: ${metadata} is the length of the metadata; it must be a multiple of 4 and at most ${Math.max(most, 0)} here (EINVAL)`,
    );
  }
  if (end > 0 && end !== length) {
    problems.push(
      `data_end: must be ${length}, the length of the data; packets in fragments are not simulated`,
    );
  }
  return problems;
}
