import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { inRoot } from './lib/paths.ts';

/**
 * Writes the captures of `examples/` (pcap, little endian, microseconds). They are in the repository;
 * `--check` fails when one of them is not what this script would write.
 */

const LINKTYPE_ETHERNET = 1;
/** For private use: what is in these packets is memory of a raw program. */
const LINKTYPE_USER0 = 147;

const HOSTS = {
  client: { mac: '02:00:00:00:00:01', ipv4: '10.0.0.1', ipv6: 'fd00::1' },
  server: { mac: '02:00:00:00:00:02', ipv4: '10.0.0.2', ipv6: 'fd00::2' },
  router: { mac: '02:00:00:00:00:fe', ipv4: '10.0.0.254', ipv6: 'fd00::fe' },
};
type Host = (typeof HOSTS)[keyof typeof HOSTS];

const TCP = 6;
const UDP = 17;
const SYN = 0x02;
const PSH_ACK = 0x18;

const text = (value: string): number[] => [...Buffer.from(value)];
const be16 = (value: number): number[] => [(value >> 8) & 0xff, value & 0xff];
const be32 = (value: number): number[] => [...be16(value >>> 16), ...be16(value & 0xffff)];
const macBytes = (mac: string): number[] => mac.split(':').map((part) => Number.parseInt(part, 16));
const ipv4Bytes = (address: string): number[] => address.split('.').map(Number);

function ipv6Bytes(address: string): number[] {
  const [left = '', right = ''] = address.split('::');
  const groups = (part: string) =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const head = groups(left);
  const tail = groups(right);
  const zeroes = Array.from({ length: 8 - head.length - tail.length }, () => 0);
  return [...head, ...zeroes, ...tail].flatMap(be16);
}

/** The Internet checksum (RFC 1071). */
function checksum(bytes: readonly number[]): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

interface Segment {
  readonly protocol: number;
  /** Header and payload, checksum zero. */
  readonly bytes: number[];
  /** Where the checksum stands. */
  readonly checksumAt: number;
}

function tcp(from: number, to: number, flags: number, payload: readonly number[] = []): Segment {
  const header = [...be16(from), ...be16(to), ...be32(1000), ...be32(flags === SYN ? 0 : 5000), 0x50, flags];
  return { protocol: TCP, bytes: [...header, ...be16(64240), 0, 0, 0, 0, ...payload], checksumAt: 16 };
}

function udp(from: number, to: number, payload: readonly number[]): Segment {
  const header = [...be16(from), ...be16(to), ...be16(8 + payload.length), 0, 0];
  return { protocol: UDP, bytes: [...header, ...payload], checksumAt: 6 };
}

function finish(segment: Segment, pseudoHeader: readonly number[]): number[] {
  const sum = checksum([...pseudoHeader, ...segment.bytes]);
  return segment.bytes.with(segment.checksumAt, sum >> 8).with(segment.checksumAt + 1, sum & 0xff);
}

function ipv4(
  from: Host,
  to: Host,
  segment: Segment,
  extra: { readonly options?: readonly number[]; readonly fragment?: number } = {},
): number[] {
  const addresses = [...ipv4Bytes(from.ipv4), ...ipv4Bytes(to.ipv4)];
  const payload = finish(segment, [...addresses, 0, segment.protocol, ...be16(segment.bytes.length)]);
  const options = extra.options ?? [];
  const length = 20 + options.length;
  const first = [0x40 | (length / 4), 0, ...be16(length + payload.length), ...be16(0x1234)];
  const rest = [...be16(extra.fragment ?? 0x4000), 64, segment.protocol];
  const sum = checksum([...first, ...rest, 0, 0, ...addresses, ...options]);
  return [...first, ...rest, ...be16(sum), ...addresses, ...options, ...payload];
}

function ipv6(from: Host, to: Host, segment: Segment): number[] {
  const addresses = [...ipv6Bytes(from.ipv6), ...ipv6Bytes(to.ipv6)];
  const payload = finish(segment, [...addresses, ...be32(segment.bytes.length), 0, 0, 0, segment.protocol]);
  return [...be32(0x60000000), ...be16(payload.length), segment.protocol, 64, ...addresses, ...payload];
}

/** Frames are padded to the 60 bytes that Ethernet needs. */
function ethernet(from: Host, to: Host, types: readonly number[], payload: readonly number[]): number[] {
  const frame = [...macBytes(to.mac), ...macBytes(from.mac), ...types.flatMap(be16), ...payload];
  return [...frame, ...Array.from({ length: Math.max(0, 60 - frame.length) }, () => 0)];
}

const IPV4 = 0x0800;
const IPV6 = 0x86dd;
const ARP = 0x0806;
const VLAN = 0x8100;
const { client, server, router } = HOSTS;

const toServer = (segment: Segment, extra?: Parameters<typeof ipv4>[3]): number[] =>
  ethernet(client, server, [IPV4], ipv4(client, server, segment, extra));

/** A DNS question for the A record of example.com, or its answer 192.0.2.1 (RFC 1035). */
function dns(answer: boolean): number[] {
  const name = [7, ...text('example'), 3, ...text('com'), 0];
  const header = [
    ...be16(0xbeef),
    ...be16(answer ? 0x8180 : 0x0100),
    ...be16(1),
    ...be16(answer ? 1 : 0),
    0,
    0,
    0,
    0,
  ];
  const question = [...name, ...be16(1), ...be16(1)];
  const record = [0xc0, 0x0c, ...be16(1), ...be16(1), ...be32(3600), ...be16(4), 192, 0, 2, 1];
  return [...header, ...question, ...(answer ? record : [])];
}

const arpRequest = ethernet(
  client,
  { ...server, mac: 'ff:ff:ff:ff:ff:ff' },
  [ARP],
  [
    ...[...be16(1), ...be16(IPV4), 6, 4, ...be16(1)],
    ...[...macBytes(client.mac), ...ipv4Bytes(client.ipv4), 0, 0, 0, 0, 0, 0, ...ipv4Bytes(server.ipv4)],
  ],
);

interface Capture {
  readonly path: string;
  readonly linkType: number;
  readonly packets: readonly (readonly number[])[];
}

const CAPTURES: readonly Capture[] = [
  {
    path: 'examples/xdp-firewall/traffic.pcap',
    linkType: LINKTYPE_ETHERNET,
    packets: [
      toServer(tcp(40000, 443, SYN)),
      toServer(tcp(40001, 23, SYN)),
      toServer(udp(40002, 53, dns(false))),
      toServer(udp(40003, 1900, text('M-SEARCH * HTTP/1.1\r\n\r\n'))),
      ethernet(client, server, [IPV6], ipv6(client, server, tcp(40004, 22, SYN))),
      ethernet(client, server, [IPV6], ipv6(client, server, tcp(40005, 445, SYN))),
      ethernet(client, server, [VLAN, 100, IPV4], ipv4(client, server, tcp(40006, 23, SYN))),
      toServer(tcp(40007, 445, SYN), { options: [0x94, 4, 0, 0] }),
      toServer(tcp(40008, 23, SYN), { fragment: 0x2001 }),
      arpRequest,
      toServer(tcp(40009, 80, PSH_ACK, text('GET / HTTP/1.1\r\nHost: example.com\r\n\r\n'))),
      // Cut in the middle of the TCP header: every header must be wholly there.
      toServer(tcp(40010, 23, SYN)).slice(0, 44),
    ],
  },
  {
    path: 'examples/socket-filter/traffic.pcap',
    linkType: LINKTYPE_ETHERNET,
    packets: [
      toServer(udp(40002, 53, dns(false))),
      ethernet(server, client, [IPV4], ipv4(server, client, udp(53, 40002, dns(true)))),
      toServer(tcp(40000, 443, SYN)),
      toServer(
        udp(
          40003,
          123,
          Array.from({ length: 48 }, (_, index) => (index === 0 ? 0x1b : 0)),
        ),
      ),
      toServer(udp(40004, 53, dns(false)), { options: [0x94, 4, 0, 0] }),
      arpRequest,
    ],
  },
  {
    path: 'examples/classic-filter/traffic.pcap',
    linkType: LINKTYPE_ETHERNET,
    packets: [
      toServer(tcp(40000, 80, SYN)),
      ethernet(server, client, [IPV4], ipv4(server, client, tcp(80, 40000, 0x12))),
      toServer(tcp(40001, 443, SYN)),
      toServer(tcp(40002, 80, PSH_ACK, text('GET / HTTP/1.1\r\nHost: example.com\r\n\r\n')), {
        options: [0x94, 4, 0, 0],
      }),
      // not the first fragment: what lies where the ports would be is payload
      toServer(tcp(40003, 80, SYN), { fragment: 0x2001 }),
      ethernet(client, server, [IPV6], ipv6(client, server, tcp(40004, 80, SYN))),
      toServer(udp(40005, 80, text('no TCP'))),
      arpRequest,
    ],
  },
  {
    path: 'examples/map-counter/traffic.pcap',
    linkType: LINKTYPE_ETHERNET,
    packets: [
      toServer(tcp(40000, 443, SYN)),
      ethernet(server, client, [IPV4], ipv4(server, client, tcp(443, 40000, 0x12))),
      toServer(tcp(40000, 443, PSH_ACK, text('hello'))),
      toServer(udp(40002, 53, dns(false))),
      ethernet(router, server, [IPV4], ipv4(router, server, udp(67, 68, text('offer')))),
      ethernet(client, server, [IPV6], ipv6(client, server, udp(40003, 53, dns(false)))),
      arpRequest,
    ],
  },
  { path: 'examples/fib/inputs.pcap', linkType: LINKTYPE_USER0, packets: [[0], [1], [10], [50], [93]] },
];

const le16 = (value: number): number[] => be16(value).reverse();
const le32 = (value: number): number[] => be32(value).reverse();

/** Packets a millisecond apart, from 2026-01-01 00:00:00 UTC on. */
function pcap(capture: Capture): Uint8Array {
  const start = 1_767_225_600;
  const header = [...le32(0xa1b2c3d4), ...le16(2), ...le16(4), ...le32(0), ...le32(0), ...le32(262_144)];
  const packets = capture.packets.flatMap((packet, index) => [
    ...[...le32(start), ...le32(index * 1000), ...le32(packet.length), ...le32(packet.length)],
    ...packet,
  ]);
  return Uint8Array.from([...header, ...le32(capture.linkType), ...packets]);
}

/** `npm run captures [-- --check]`. Resolves to the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  let stale = 0;
  for (const capture of CAPTURES) {
    const path = inRoot(capture.path);
    const bytes = pcap(capture);
    if (!args.includes('--check')) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, bytes);
    } else if (!isSame(path, bytes)) {
      console.error(`${capture.path} is not what scripts/build-captures.ts writes; run it without --check`);
      stale++;
    }
  }
  return stale === 0 ? 0 : 1;
}

function isSame(path: string, bytes: Uint8Array): boolean {
  try {
    return Buffer.compare(readFileSync(path), bytes) === 0;
  } catch {
    return false;
  }
}
