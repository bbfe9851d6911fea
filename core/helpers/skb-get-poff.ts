/** Bytes of a packet as the flow dissector reads them. */
export interface DissectedPacket {
  /** Bytes from `skb->data` to the end. */
  readonly length: number;
  /** `size` bytes at `offset` from `skb->data` (negative: before it), network order; undefined: not there. */
  read(offset: number, size: 1 | 2 | 4): number | undefined;
}

/** `ETH_P_…`, include/uapi/linux/if_ether.h. */
const ETH_P = {
  ...{ ip: 0x0800, arp: 0x0806, teb: 0x6558, rarp: 0x8035, vlan: 0x8100, ipv6: 0x86dd },
  ...{ mplsUc: 0x8847, mplsMc: 0x8848, pppoe: 0x8864, vlanAd: 0x88a8, pptp: 0x880b },
} as const;
/** `IPPROTO_…`, include/uapi/linux/in.h and in6.h. */
const IPPROTO = {
  ...{ hopopts: 0, icmp: 1, igmp: 2, ipip: 4, tcp: 6, udp: 17, dccp: 33, ipv6: 41, routing: 43 },
  ...{ fragment: 44, gre: 47, icmpv6: 58, dstopts: 60, sctp: 132, udplite: 136 },
} as const;
/** `PPP_IP` and `PPP_IPV6`, include/uapi/linux/ppp_defs.h. */
const PPP_PROTOCOLS: ReadonlyMap<number, number> = new Map([
  [0x21, ETH_P.ip],
  [0x57, ETH_P.ipv6],
]);
/** `GRE_…`, include/net/gre.h and uapi/linux/if_tunnel.h, in host order. */
const GRE = { csum: 0x8000, routing: 0x4000, key: 0x2000, seq: 0x1000, ack: 0x0080, version: 7 } as const;
/** `MAX_FLOW_DISSECT_HDRS`: headers that are followed. */
const MAX_HEADERS = 15;

/** What lies where the dissector stands; `done`: nothing that it follows; `bad`: no flow can be told. */
type Next = { readonly ethertype: number } | { readonly ipProto: number } | 'done' | 'bad';

/** How far the dissector has come, and what it has found out. */
interface Flow {
  /** From `skb->data`. */
  nhoff: number;
  /** EtherType of the innermost network header. */
  network: number;
  ipProto: number;
  laterFragment: boolean;
}

/** Bytes of transport headers that have one size. */
const HEADER_SIZES: ReadonlyMap<number, number> = new Map([
  [IPPROTO.udp, 8],
  [IPPROTO.udplite, 8],
  [IPPROTO.icmp, 8],
  [IPPROTO.icmpv6, 8],
  [IPPROTO.igmp, 8],
  [IPPROTO.dccp, 12],
  [IPPROTO.sctp, 12],
]);

/**
 * Offset of the payload behind the headers that the kernel knows, from `skb->data`; 0: it knows none. As
 * `skb_get_poff` and the flow dissector (net/core/flow_dissector.c) find it for the keys CONTROL and BASIC.
 * Not followed: FCoE, TIPC, batman-adv, PRP, PTP, CFM.
 * @param protocol `skb->protocol`, host order.
 * @param networkOffset of the network header from `skb->data`.
 */
export function skbGetPoff(packet: DissectedPacket, protocol: number, networkOffset: number): number {
  const flow: Flow = {
    ...{ nhoff: networkOffset, network: protocol, ipProto: 0, laterFragment: false },
  };
  let next: Next = { ethertype: protocol };
  for (let headers = 0; typeof next === 'object' && headers <= MAX_HEADERS; headers++) {
    next =
      'ethertype' in next
        ? networkHeader(packet, flow, next.ethertype)
        : transportHeader(packet, flow, next.ipProto);
  }
  if (next === 'bad') return 0;
  const offset = Math.min(flow.nhoff & 0xffff, packet.length & 0xffff);
  if (flow.laterFragment) return offset;
  if (flow.ipProto === IPPROTO.tcp) {
    const words = packet.read(offset + 12, 1);
    return words === undefined ? offset : offset + Math.max(20, (words & 0xf0) >> 2);
  }
  return offset + (HEADER_SIZES.get(flow.ipProto) ?? 0);
}

function networkHeader(packet: DissectedPacket, flow: Flow, ethertype: number): Next {
  flow.network = ethertype;
  switch (ethertype) {
    case ETH_P.ip:
      return ipv4(packet, flow);
    case ETH_P.ipv6: {
      const proto = packet.read(flow.nhoff + 6, 1);
      return isThere(packet, flow, 40) && proto !== undefined ? inside(flow, 40, proto) : 'bad';
    }
    case ETH_P.vlan:
    case ETH_P.vlanAd:
      return encapsulated(flow, 4, packet.read(flow.nhoff + 2, 2));
    case ETH_P.pppoe:
      return pppoe(packet, flow);
    case ETH_P.mplsUc:
    case ETH_P.mplsMc:
      if (!isThere(packet, flow, 4)) return 'bad';
      flow.nhoff += 4;
      return 'done';
    case ETH_P.arp:
    case ETH_P.rarp:
      return 'done';
    default:
      return 'bad';
  }
}

function ipv4(packet: DissectedPacket, flow: Flow): Next {
  const first = packet.read(flow.nhoff, 1);
  const proto = packet.read(flow.nhoff + 9, 1);
  const fragment = packet.read(flow.nhoff + 6, 2);
  if (!isThere(packet, flow, 20) || first === undefined || proto === undefined || (first & 0xf) < 5) {
    return 'bad';
  }
  const next = inside(flow, (first & 0xf) * 4, proto);
  if (((fragment ?? 0) & 0x3fff) === 0) return next;
  flow.laterFragment = ((fragment ?? 0) & 0x1fff) !== 0;
  return 'done';
}

function pppoe(packet: DissectedPacket, flow: Flow): Next {
  const proto = packet.read(flow.nhoff + 6, 2);
  if (proto === undefined) return 'bad';
  const ethertype = PPP_PROTOCOLS.get(proto);
  return ethertype === undefined ? 'bad' : encapsulated(flow, 8, ethertype);
}

function transportHeader(packet: DissectedPacket, flow: Flow, ipProto: number): Next {
  switch (ipProto) {
    case IPPROTO.ipip:
      return encapsulated(flow, 0, ETH_P.ip);
    case IPPROTO.ipv6:
      return encapsulated(flow, 0, ETH_P.ipv6);
    case IPPROTO.gre:
      return gre(packet, flow);
    case IPPROTO.hopopts:
    case IPPROTO.routing:
    case IPPROTO.dstopts: {
      if (flow.network !== ETH_P.ipv6) return 'done';
      const next = packet.read(flow.nhoff, 1);
      const length = packet.read(flow.nhoff + 1, 1);
      return next === undefined || length === undefined ? 'bad' : inside(flow, (length + 1) * 8, next);
    }
    case IPPROTO.fragment: {
      if (flow.network !== ETH_P.ipv6) return 'done';
      const next = packet.read(flow.nhoff, 1);
      const offset = packet.read(flow.nhoff + 2, 2);
      if (!isThere(packet, flow, 8) || next === undefined || offset === undefined) return 'bad';
      inside(flow, 8, next);
      flow.laterFragment = (offset & 0xfff8) !== 0;
      return 'done';
    }
    default:
      return 'done';
  }
}

function gre(packet: DissectedPacket, flow: Flow): Next {
  const flags = packet.read(flow.nhoff, 2);
  const proto = packet.read(flow.nhoff + 2, 2);
  if (flags === undefined || proto === undefined) return 'bad';
  const version = flags & GRE.version;
  if ((flags & GRE.routing) !== 0 || version > 1) return 'done';
  let size = 4;
  for (const bit of [GRE.csum, GRE.key, GRE.seq]) if ((flags & bit) !== 0) size += 4;
  if (version === 0) {
    if (proto !== ETH_P.teb) return encapsulated(flow, size, proto);
    return encapsulated(flow, size + 14, packet.read(flow.nhoff + size + 12, 2));
  }
  if (proto !== ETH_P.pptp || (flags & GRE.key) === 0) return 'done';
  if ((flags & GRE.ack) !== 0) size += 4;
  const ppp = packet.read(flow.nhoff + size + 2, 2);
  if (ppp === undefined) return 'bad';
  const ethertype = PPP_PROTOCOLS.get(ppp);
  return ethertype === undefined ? 'done' : encapsulated(flow, size + 4, ethertype);
}

/** Goes on with the protocol number of an IP header of `size` bytes. */
function inside(flow: Flow, size: number, ipProto: number): Next {
  flow.nhoff += size;
  flow.ipProto = ipProto;
  return { ipProto };
}

/** Goes on with another network header, `size` bytes further. */
function encapsulated(flow: Flow, size: number, ethertype: number | undefined): Next {
  if (ethertype === undefined) return 'bad';
  flow.nhoff += size;
  return { ethertype };
}

/** Are `size` bytes there, from where the dissector stands? */
function isThere(packet: DissectedPacket, { nhoff }: Flow, size: number): boolean {
  return packet.read(nhoff + size - 1, 1) !== undefined;
}
