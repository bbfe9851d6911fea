import type { RunEnv } from '../vm/cpu.ts';
import type { Machine } from '../vm/machine.ts';
import { checkFields } from './fields-in.ts';
import type { Prepared, RunInput } from './input.ts';
import {
  ETH_HLEN,
  NET_DEVICE,
  SK_BUFF,
  SKB_CB,
  SKB_HEADROOM,
  SKB_SHARED_INFO,
  TC_AT_INGRESS_MASK,
} from './offsets.ts';
import { allocRegions } from './regions.ts';

const LOOPBACK_IFINDEX = 1n;
/** Of the device (include/uapi/linux/if_arp.h): TEST_RUN's is the loopback device, a packet has an Ethernet header. */
const ARPHRD_ETHER = 1;
const ARPHRD_LOOPBACK = 772;
const CACHE_LINE = 64;
/** A socket is not modelled, it is only there or not: nothing of it can be read. */
const SOCK_SIZE = 8;

/** `PACKET_…`, include/uapi/linux/if_packet.h. */
const PACKET_HOST = 0;
const PACKET_BROADCAST = 1;
const PACKET_MULTICAST = 2;
const PACKET_OTHERHOST = 3;

/** `ETH_P_802_3` and `ETH_P_802_2`: what a length instead of an EtherType becomes. */
const ETH_P_802_3 = 1;
const ETH_P_802_2 = 4;
const MIN_ETHERTYPE = 0x600;

/** How a user-visible field lies in `struct sk_buff`: bytes from its start, width. */
type Place = readonly [offset: number, width: 1 | 2 | 4 | 8];

/** Fields that an input can set; the first group is what BPF_PROG_TEST_RUN takes and gives back. */
const TEST_RUN_PLACES: Readonly<Record<string, Place>> = {
  mark: [SK_BUFF.mark, 4],
  priority: [SK_BUFF.priority, 4],
  ingress_ifindex: [SK_BUFF.skb_iif, 4],
  'cb[0]': [SKB_CB.data, 4],
  'cb[1]': [SKB_CB.data + 4, 4],
  'cb[2]': [SKB_CB.data + 8, 4],
  'cb[3]': [SKB_CB.data + 12, 4],
  'cb[4]': [SKB_CB.data + 16, 4],
  tstamp: [SK_BUFF.tstamp, 8],
  wire_len: [SKB_CB.pkt_len, 4],
};
const FURTHER_PLACES: Readonly<Record<string, Place>> = {
  queue_mapping: [SK_BUFF.queue_mapping, 2],
  vlan_tci: [SK_BUFF.vlan_tci, 2],
  vlan_proto: [SK_BUFF.vlan_proto, 2],
  tc_index: [SK_BUFF.tc_index, 2],
  hash: [SK_BUFF.hash, 4],
  tc_classid: [SKB_CB.tc_classid, 2],
  napi_id: [SK_BUFF.napi_id, 4],
};
const SHARED_PLACES: Readonly<Record<string, Place>> = {
  gso_segs: [SKB_SHARED_INFO.gso_segs, 2],
  gso_size: [SKB_SHARED_INFO.gso_size, 2],
  hwtstamp: [SKB_SHARED_INFO.hwtstamps, 8],
};
const SETTABLE: ReadonlySet<string> = new Set([
  ...Object.keys(TEST_RUN_PLACES),
  ...Object.keys(FURTHER_PLACES),
  ...Object.keys(SHARED_PLACES),
  'ifindex',
]);
const SETTABLE_BY_TYPE = {
  sched_cls: SETTABLE,
  socket_filter: new Set([...SETTABLE].filter((name) => name !== 'tc_classid')),
};

/**
 * A socket buffer as the kernel makes it for a packet that was just received: linear, head room of 64
 * bytes, `skb_shared_info` behind the data, MAC and network header known, `pkt_type` and `protocol` from
 * the Ethernet header, on the loopback device. Traffic control sees it from the MAC header on; a socket
 * filter too with `attach: 'packet'`, but behind the Ethernet header with `'test_run'`.
 *
 * One region holds what `skb->head` points to. Programs may touch the packet's bytes only; the shared
 * info is a region of its own kind, reached by rewritten accesses.
 */
export function prepareSkb(
  machine: Machine,
  cpu: number,
  progType: 'socket_filter' | 'sched_cls',
  input: RunInput,
): Prepared {
  const { space, memory } = machine;
  const target = machine.cpu(cpu);
  const { values, problems } = checkFields(progType, input.ctx, SETTABLE_BY_TYPE[progType]);
  const total = input.data.length;
  const testRun = input.attach === 'test_run';
  const pulled = progType === 'socket_filter' && testRun ? Math.min(ETH_HLEN, total) : 0;

  const end = roundUp(SKB_HEADROOM + total);
  const { packet, head, device, skb, sock } = allocRegions(machine, {
    packet: {
      name: 'packet',
      kind: 'packet',
      size: total,
      perm: 'rw',
      headroom: SKB_HEADROOM,
      capacity: roundUp(total + CACHE_LINE),
    },
    head: { name: 'skb_shared_info', kind: 'kernel', size: end + SKB_SHARED_INFO.size, perm: 'r' },
    device: { name: 'net_device', kind: 'kernel', size: NET_DEVICE.size, perm: 'r' },
    skb: { name: 'ctx', kind: 'ctx', size: SK_BUFF.size, perm: 'rw' },
    // TEST_RUN gives its packets a socket; a packet that was just received has none.
    sock: testRun ? { name: 'sock', kind: 'kernel', size: SOCK_SIZE, perm: 'none' } : undefined,
  });
  space.write(packet.addr, input.data);
  space.resize(packet, { origin: pulled });

  const { view } = memory;
  const put = (base: number, [offset, width]: Place, value: bigint): void => {
    if (width === 1) view.setUint8(base + offset, Number(value & 0xffn));
    else if (width === 2) view.setUint16(base + offset, Number(value & 0xffffn), true);
    else if (width === 4) view.setUint32(base + offset, Number(value & 0xffffffffn), true);
    else view.setBigUint64(base + offset, value, true);
  };
  const at = skb.base;
  view.setUint32(device.base + NET_DEVICE.ifindex, Number(values.get('ifindex') ?? LOOPBACK_IFINDEX), true);
  view.setUint16(device.base + NET_DEVICE.type, testRun ? ARPHRD_LOOPBACK : ARPHRD_ETHER, true);
  view.setBigUint64(at + SK_BUFF.dev, device.addr, true);
  view.setBigUint64(at + SK_BUFF.head, head.addr, true);
  view.setBigUint64(at + SK_BUFF.data, packet.addr + BigInt(pulled), true);
  if (sock) view.setBigUint64(at + SK_BUFF.sk, sock.addr, true);
  view.setUint32(at + SK_BUFF.len, total - pulled, true);
  view.setUint16(at + SK_BUFF.mac_len, Math.min(ETH_HLEN, total), true);
  view.setUint16(at + SK_BUFF.mac_header, SKB_HEADROOM, true);
  view.setUint16(at + SK_BUFF.network_header, (SKB_HEADROOM + Math.min(ETH_HLEN, total)) & 0xffff, true);
  view.setUint16(at + SK_BUFF.transport_header, 0xffff, true);
  view.setUint32(at + SK_BUFF.tail, SKB_HEADROOM + total, true);
  view.setUint32(at + SK_BUFF.end, end, true);
  view.setUint32(at + SK_BUFF.truesize, end + SKB_SHARED_INFO.size + SK_BUFF.size, true);
  view.setUint8(at + SK_BUFF.pkt_type, packetType(input.data, testRun));
  view.setUint16(at + SK_BUFF.protocol, etherType(input.data), false);
  if (!testRun) view.setUint32(at + SK_BUFF.skb_iif, Number(values.get('ifindex') ?? LOOPBACK_IFINDEX), true);
  if (progType === 'sched_cls') {
    if (!testRun) view.setUint8(at + SK_BUFF.tstamp_type, TC_AT_INGRESS_MASK);
    if (!testRun) view.setUint32(at + SKB_CB.pkt_len, total, true);
    view.setBigUint64(at + SKB_CB.data_meta, packet.addr, true);
    view.setBigUint64(at + SKB_CB.data_end, packet.addr + BigInt(total), true);
  }
  // TEST_RUN fills in the length on the wire only where it is given a context.
  if (testRun && input.ctx !== undefined) view.setUint32(at + SKB_CB.pkt_len, total - pulled, true);
  for (const [name, value] of values) {
    const place = TEST_RUN_PLACES[name] ?? FURTHER_PLACES[name];
    if (place) put(at, place, value);
    const shared = SHARED_PLACES[name];
    if (shared) put(head.base + end, shared, value);
  }

  const env: RunEnv = { kind: 'skb', ctx: skb, packet };
  target.current = env;
  const get = (base: number, [offset, width]: Place): bigint => {
    const now = memory.view;
    if (width === 1) return BigInt(now.getUint8(base + offset));
    if (width === 2) return BigInt(now.getUint16(base + offset, true));
    if (width === 4) return BigInt(now.getUint32(base + offset, true));
    return now.getBigUint64(base + offset, true);
  };
  let disposed = false;
  return {
    r1: skb.addr,
    problems,
    dataOut() {
      const data = env.packet;
      const out = (data && space.read(data.addr, data.size)) ?? new Uint8Array();
      // TEST_RUN pushes room for the Ethernet header that it has pulled, but not its contents.
      out.fill(0, 0, pulled);
      return out;
    },
    ctxOut() {
      const out: Record<string, bigint> = {};
      for (const [name, place] of Object.entries(TEST_RUN_PLACES)) out[name] = get(skb.base, place);
      out.ifindex = get(device.base, [NET_DEVICE.ifindex, 4]);
      out.queue_mapping = get(skb.base, [SK_BUFF.queue_mapping, 2]);
      out.tc_index = get(skb.base, [SK_BUFF.tc_index, 2]);
      if (progType === 'sched_cls') out.tc_classid = get(skb.base, [SKB_CB.tc_classid, 2]);
      for (const [name, place] of Object.entries(SHARED_PLACES)) out[name] = get(head.base + end, place);
      return out;
    },
    dispose() {
      if (disposed) return;
      disposed = true;
      if (target.current === env) target.current = undefined;
      if (env.packet) space.free(env.packet);
      for (const region of [head, device, skb, sock]) if (region) space.free(region);
    },
  };
}

/**
 * `PACKET_…` as `eth_type_trans` finds it. TEST_RUN packets are on the loopback device, whose own and
 * broadcast address are all zeroes; a captured packet counts as addressed to this host.
 */
function packetType(data: Uint8Array, testRun: boolean): number {
  const address = data.subarray(0, 6);
  if (address.length < 6) return PACKET_HOST;
  if ((address[0] ?? 0) & 1) {
    const broadcast = !testRun && address.every((byte) => byte === 0xff);
    return broadcast ? PACKET_BROADCAST : PACKET_MULTICAST;
  }
  return testRun && address.some((byte) => byte !== 0) ? PACKET_OTHERHOST : PACKET_HOST;
}

/** EtherType in host order, as `eth_type_trans` gives it. */
function etherType(data: Uint8Array): number {
  const word = ((data[12] ?? 0) << 8) | (data[13] ?? 0);
  if (word >= MIN_ETHERTYPE) return word;
  return data[14] === 0xff && data[15] === 0xff ? ETH_P_802_3 : ETH_P_802_2;
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / CACHE_LINE) * CACHE_LINE;
}
