import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BUILTIN_PACKETS } from '#core/input/builtin.ts';
import { parseHexBytes } from '#core/input/hex.ts';
import { summarisePacket } from '#core/input/summary.ts';

function summary(data: Uint8Array, more: { linkType?: number; originalLength?: number } = {}): string {
  const bytes = new Uint8Array(data);
  return summarisePacket({ data: bytes, originalLength: data.length, timestampNs: 0n, linkType: 1, ...more });
}

function builtin(name: string): Uint8Array<ArrayBuffer> {
  const packet = BUILTIN_PACKETS.find((each) => each.name === name);
  if (!packet) throw new Error(`no built-in packet ${name}`);
  return packet.data;
}

test.each([
  ['tcp-syn', 'TCP 10.0.0.1:40000 → 10.0.0.2:80 [SYN] 60 bytes'],
  ['udp-dns', 'UDP 10.0.0.1:40000 → 10.0.0.53:53 DNS A example.org? 71 bytes'],
  ['icmp', 'ICMP 10.0.0.1 → 10.0.0.2 echo request 60 bytes'],
  ['ipv6', 'TCP [2001:db8::1]:40000 → [2001:db8::2]:443 [SYN] 74 bytes'],
  ['arp', 'ARP who has 10.0.0.2? tell 10.0.0.1 60 bytes'],
  ['zeroes', 'zeroes 64 bytes'],
])('the built-in packet %s', (name, text) => {
  expect(summary(builtin(name))).toBe(text);
});

function sum16(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

test.each(['tcp-syn', 'udp-dns', 'icmp'])('%s has right IPv4 and transport checksums', (name) => {
  const ip = builtin(name).subarray(14);
  const segment = ip.subarray(20, ((ip[2] ?? 0) << 8) | (ip[3] ?? 0));
  const pseudo = Uint8Array.of(
    ...ip.subarray(12, 20),
    0,
    ip[9] ?? 0,
    segment.length >> 8,
    segment.length & 255,
  );
  expect(sum16(ip.subarray(0, 20))).toBe(0xffff);
  expect(sum16(Uint8Array.of(...(name === 'icmp' ? [] : pseudo), ...segment))).toBe(0xffff);
});

test('ipv6 has a right TCP checksum', () => {
  const ip = builtin('ipv6').subarray(14);
  const segment = ip.subarray(40);
  expect(sum16(Uint8Array.of(...ip.subarray(8, 40), 0, 0, 0, segment.length, 0, 0, 0, 6, ...segment))).toBe(
    0xffff,
  );
});

const MACS = '02 00 00 00 00 02 02 00 00 00 00 01';
test.each([
  [
    'VLAN',
    `${MACS} 81 00 20 05 08 00 45 00 00 28 00 01 40 00 40 06 00 00 0a 00 00 01 0a 00 00 02 00 50 9c 40 00 00 00 00 00 00 00 00 50 12`,
    'VLAN 5 TCP 10.0.0.1:80 → 10.0.0.2:40000 [SYN ACK]',
  ],
  [
    'a fragment',
    `${MACS} 08 00 45 00 00 28 00 01 00 10 40 11 00 00 0a 00 00 01 0a 00 00 02`,
    'UDP 10.0.0.1 → 10.0.0.2 fragment at 128',
  ],
  ['another EtherType', `${MACS} 88 cc 01`, 'Ethernet type 0x88cc 02:00:00:00:00:01 → 02:00:00:00:00:02'],
  ['802.3', `${MACS} 00 20 aa`, 'Ethernet length 32 02:00:00:00:00:01 → 02:00:00:00:00:02'],
  ['a cut header', '02 00', 'cut Ethernet header'],
  [
    'cut TCP',
    `${MACS} 08 00 45 00 00 28 00 01 40 00 40 06 00 00 0a 00 00 01 0a 00 00 02 00`,
    'TCP 10.0.0.1 → 10.0.0.2 cut',
  ],
  [
    'an ARP reply',
    `${MACS} 08 06 00 01 08 00 06 04 00 02 02 00 00 00 00 01 0a 00 00 01 02 00 00 00 00 02 0a 00 00 02`,
    'ARP 10.0.0.1 is at 02:00:00:00:00:01',
  ],
  [
    'another IP protocol',
    `${MACS} 08 00 45 00 00 14 00 01 40 00 40 fd 00 00 0a 00 00 01 0a 00 00 02`,
    'IP protocol 253 10.0.0.1 → 10.0.0.2',
  ],
])('%s', (_, hex, text) => {
  const data = parseHexBytes(hex).value;
  expect(summary(data)).toBe(`${text} ${data.length} bytes`);
});

test('a cut packet tells both lengths, other link types number and first bytes, one byte is one byte', () => {
  expect(summary(builtin('arp').slice(0, 42), { originalLength: 60 })).toMatch(/42 of 60 bytes$/);
  expect(summary(Uint8Array.of(1, 2), { linkType: 113 })).toBe('link type 113 [01 02] 2 bytes');
  expect(summary(new Uint8Array(9), { linkType: 147 })).toBe(
    'link type 147 [00 00 00 00 00 00 00 00 …] 9 bytes',
  );
  expect(summary(Uint8Array.of(1))).toBe('cut Ethernet header 1 byte');
  expect(summary(new Uint8Array())).toBe('empty 0 bytes');
  expect(summary(builtin('ipv6').slice(14), { linkType: 101 })).toContain('TCP [2001:db8::1]:40000');
});

test('no bytes make it throw or break the line', () => {
  const start = fc.constantFrom(new Uint8Array(), ...BUILTIN_PACKETS.map((packet) => packet.data));
  const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 });
  fc.assert(
    fc.property(
      start,
      damage,
      fc.uint8Array({ maxLength: 80 }),
      fc.nat(120),
      (from, hits, tail, linkType) => {
        const data = Uint8Array.of(...from, ...tail);
        for (const [at, value] of hits) if (data.length > 0) data[at % data.length] = value;
        expect(summary(data)).not.toMatch(/[\n\r]/);
        expect(summary(data, { linkType })).not.toMatch(/undefined|NaN/);
      },
    ),
    { seed: 9, numRuns: 2000 },
  );
});
