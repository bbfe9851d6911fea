import { type CapturedPacket, LINKTYPE_ETHERNET } from './captured-packet.ts';
import { ipv4Text, ipv6Text, macText } from './summary-addresses.ts';
import { dnsSummary } from './summary-dns.ts';

/** Link types that carry IP without a link-layer header (`LINKTYPE_RAW`, `LINKTYPE_IPV4`, `LINKTYPE_IPV6`). */
const RAW_IP = new Set([12, 101, 228, 229]);

const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_ARP = 0x0806;
const ETHERTYPE_IPV6 = 0x86dd;
const VLAN_TYPES = new Set([0x8100, 0x88a8, 0x9100]);
const MAX_TAGS = 4;
/** Of a packet of an unknown link type that are shown. */
const MAX_BYTES = 8;
const DNS_PORTS = new Set([53, 5353, 5355]);

const IP_PROTOCOLS: Readonly<Record<number, string>> = {
  1: 'ICMP',
  2: 'IGMP',
  4: 'IP-in-IP',
  6: 'TCP',
  17: 'UDP',
  41: 'IPv6-in-IP',
  47: 'GRE',
  50: 'ESP',
  51: 'AH',
  58: 'ICMPv6',
  89: 'OSPF',
  132: 'SCTP',
};

const ICMP_TYPES: Readonly<Record<number, string>> = {
  0: 'echo reply',
  3: 'destination unreachable',
  5: 'redirect',
  8: 'echo request',
  11: 'time exceeded',
  12: 'parameter problem',
};

const ICMPV6_TYPES: Readonly<Record<number, string>> = {
  1: 'destination unreachable',
  2: 'packet too big',
  3: 'time exceeded',
  128: 'echo request',
  129: 'echo reply',
  133: 'router solicitation',
  134: 'router advertisement',
  135: 'neighbour solicitation',
  136: 'neighbour advertisement',
};

/** Extension headers of IPv6 that all begin with next header and length in 8 bytes. */
const IPV6_EXTENSIONS = new Set([0, 43, 60, 135]);
const IPV6_FRAGMENT = 44;
const MAX_EXTENSIONS = 8;

/** TCP's flag bits, as they are read aloud. */
const TCP_FLAGS = [
  [0x02, 'SYN'],
  [0x10, 'ACK'],
  [0x01, 'FIN'],
  [0x04, 'RST'],
  [0x08, 'PSH'],
  [0x20, 'URG'],
  [0x40, 'ECE'],
  [0x80, 'CWR'],
] as const;

/**
 * A packet in one line: `TCP 10.0.0.1:40000 → 10.0.0.2:80 [SYN] 60 bytes`. Understands Ethernet, VLAN
 * tags, ARP, IPv4, IPv6 with its extension headers, TCP, UDP, ICMP, ICMPv6 and DNS questions. Never
 * throws; what is cut short or unknown is named as far as it can be read.
 */
export function summarisePacket(packet: CapturedPacket): string {
  const { data, linkType } = packet;
  const cut = packet.originalLength > data.length ? ` of ${packet.originalLength}` : '';
  const size = `${data.length}${cut} byte${data.length === 1 && !cut ? '' : 's'}`;
  return `${summariseBytes(data, linkType)} ${size}`;
}

function summariseBytes(data: Uint8Array, linkType: number): string {
  if (data.length === 0) return 'empty';
  if (linkType === LINKTYPE_ETHERNET) return ethernet(data);
  if (!RAW_IP.has(linkType)) return `link type ${linkType} [${firstBytes(data)}]`;
  const version = (data[0] ?? 0) >> 4;
  if (version === 4) return ipv4(data);
  return version === 6 ? ipv6(data) : 'raw IP';
}

/** Bytes of a protocol that is not known here: all that tells one packet from another. */
function firstBytes(data: Uint8Array): string {
  const bytes = Array.from(data.subarray(0, MAX_BYTES), (byte) => byte.toString(16).padStart(2, '0'));
  return bytes.join(' ') + (data.length > MAX_BYTES ? ' …' : '');
}

function ethernet(data: Uint8Array): string {
  if (data.length < 14) return 'cut Ethernet header';
  if (data.every((byte) => byte === 0)) return 'zeroes';
  let type = u16(data, 12);
  let at = 14;
  let tags = '';
  for (let i = 0; i < MAX_TAGS && VLAN_TYPES.has(type) && data.length >= at + 4; i++) {
    tags += `VLAN ${u16(data, at) & 0xfff} `;
    type = u16(data, at + 2);
    at += 4;
  }
  const rest = data.subarray(at);
  if (type === ETHERTYPE_IPV4) return tags + ipv4(rest);
  if (type === ETHERTYPE_IPV6) return tags + ipv6(rest);
  if (type === ETHERTYPE_ARP) return tags + arp(rest);
  const what =
    type >= 0x600 ? `Ethernet type 0x${type.toString(16).padStart(4, '0')}` : `Ethernet length ${type}`;
  return `${tags}${what} ${macText(data, 6)} → ${macText(data, 0)}`;
}

function arp(data: Uint8Array): string {
  if (data.length < 28) return 'cut ARP';
  const from = ipv4Text(data, 14);
  const to = ipv4Text(data, 24);
  const operation = u16(data, 6);
  if (operation === 1) return `ARP who has ${to}? tell ${from}`;
  if (operation === 2) return `ARP ${from} is at ${macText(data, 8)}`;
  return `ARP operation ${operation} ${from} → ${to}`;
}

function ipv4(data: Uint8Array): string {
  if (data.length < 20) return 'cut IPv4 header';
  const header = ((data[0] ?? 0) & 15) * 4;
  if (data[0] !== undefined && data[0] >> 4 !== 4) return `IPv4 with version ${data[0] >> 4}`;
  const from = ipv4Text(data, 12);
  const to = ipv4Text(data, 16);
  const protocol = data[9] ?? 0;
  const fragment = u16(data, 6) & 0x1fff;
  if (fragment !== 0) return `${protocolName(protocol)} ${from} → ${to} fragment at ${fragment * 8}`;
  if (header < 20) return `IPv4 ${from} → ${to} with a header of ${header} bytes`;
  return transport(protocol, from, to, data.subarray(header));
}

function ipv6(data: Uint8Array): string {
  if (data.length < 40) return 'cut IPv6 header';
  const from = ipv6Text(data, 8);
  const to = ipv6Text(data, 24);
  let next = data[6] ?? 0;
  let at = 40;
  for (let i = 0; i < MAX_EXTENSIONS && data.length >= at + 8; i++) {
    if (next === IPV6_FRAGMENT) {
      const offset = u16(data, at + 2) & 0xfff8;
      next = data[at] ?? 0;
      at += 8;
      if (offset !== 0) return `${protocolName(next)} ${from} → ${to} fragment at ${offset}`;
    } else if (IPV6_EXTENSIONS.has(next)) {
      const length = ((data[at + 1] ?? 0) + 1) * 8;
      next = data[at] ?? 0;
      at += length;
    } else {
      break;
    }
  }
  return transport(next, `[${from}]`, `[${to}]`, data.subarray(at), from, to);
}

/** `host…` are the addresses as they stand before a port; `bare…` without brackets. */
function transport(
  protocol: number,
  hostFrom: string,
  hostTo: string,
  data: Uint8Array,
  bareFrom = hostFrom,
  bareTo = hostTo,
): string {
  const name = protocolName(protocol);
  const plain = `${name} ${bareFrom} → ${bareTo}`;
  if (protocol === 1 || protocol === 58) {
    const types = protocol === 1 ? ICMP_TYPES : ICMPV6_TYPES;
    const type = data[0];
    return type === undefined ? `${plain} cut` : `${plain} ${types[type] ?? `type ${type}`}`;
  }
  if (protocol !== 6 && protocol !== 17) return plain;
  if (data.length < 4) return `${plain} cut`;
  const [source, target] = [u16(data, 0), u16(data, 2)];
  const ends = `${name} ${hostFrom}:${source} → ${hostTo}:${target}`;
  if (protocol === 6) return data.length < 14 ? `${ends} cut` : `${ends} [${tcpFlags(data[13] ?? 0)}]`;
  const dns = DNS_PORTS.has(source) || DNS_PORTS.has(target) ? dnsSummary(data.subarray(8)) : undefined;
  return dns ? `${ends} ${dns}` : ends;
}

function tcpFlags(bits: number): string {
  const names = TCP_FLAGS.filter(([bit]) => bits & bit).map(([, name]) => name);
  return names.length > 0 ? names.join(' ') : 'no flags';
}

function protocolName(protocol: number): string {
  return IP_PROTOCOLS[protocol] ?? `IP protocol ${protocol}`;
}

function u16(data: Uint8Array, at: number): number {
  return ((data[at] ?? 0) << 8) | (data[at + 1] ?? 0);
}
