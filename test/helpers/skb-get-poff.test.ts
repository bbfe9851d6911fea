import { expect, test } from 'vitest';
import { bytesOfHex } from '#core/bytes/hex.ts';
import { skbGetPoff } from '#core/helpers/skb-get-poff.ts';

/** Offset of the payload in an Ethernet frame with this EtherType and contents, both as hex. */
function poff(etherType: string, contents: string): number {
  const bytes = bytesOfHex(`${'00'.repeat(12)}${etherType}${contents}`.replaceAll(' ', ''));
  if (bytes === undefined) throw new Error('no hex');
  const view = new DataView(bytes.buffer);
  const packet = {
    length: bytes.length,
    read(offset: number, size: 1 | 2 | 4) {
      if (offset < 0 || offset + size > bytes.length) return undefined;
      if (size === 1) return view.getUint8(offset);
      return size === 2 ? view.getUint16(offset) : view.getUint32(offset);
    },
  };
  return skbGetPoff(packet, Number.parseInt(etherType, 16), 14);
}

const ipv4 = (proto: string, { first = '45', fragment = '0000', options = '' } = {}) =>
  `${first}00 0000 0000 ${fragment} 40${proto} 0000 0a000001 0a000002 ${options}`;
const ipv6 = (next: string) => `60000000 0000 ${next}40 ${'00'.repeat(32)}`;
const zeroes = (count: number) => '00'.repeat(count);
/** A TCP header whose length field says `words`. */
const tcp = (words: string) => `${zeroes(12)} ${words}00 ${zeroes(26)}`;

test.each([
  ['TCP', '0800', ipv4('06') + tcp('5'.padEnd(2, '0')), 14 + 20 + 20],
  ['TCP with options', '0800', ipv4('06') + tcp('80'), 14 + 20 + 32],
  ['TCP whose length is too small', '0800', ipv4('06') + tcp('10'), 14 + 20 + 20],
  ['TCP that ends before its length', '0800', ipv4('06') + zeroes(8), 14 + 20],
  ['IPv4 options', '0800', ipv4('06', { first: '46', options: '94040000' }) + tcp('50'), 14 + 24 + 20],
  ['UDP', '0800', ipv4('11') + zeroes(8), 14 + 20 + 8],
  ['ICMP', '0800', ipv4('01') + zeroes(8), 14 + 20 + 8],
  ['IGMP', '0800', ipv4('02') + zeroes(8), 14 + 20 + 8],
  ['SCTP', '0800', ipv4('84') + zeroes(12), 14 + 20 + 12],
  ['DCCP', '0800', ipv4('21') + zeroes(16), 14 + 20 + 12],
  ['a protocol without a known header', '0800', ipv4('59') + zeroes(8), 14 + 20],
  ['a first fragment', '0800', ipv4('11', { fragment: '2000' }) + zeroes(8), 14 + 20 + 8],
  ['a later fragment', '0800', ipv4('11', { fragment: '2001' }) + zeroes(8), 14 + 20],
  ['a header that is too short', '0800', ipv4('11', { first: '44' }) + zeroes(8), 0],
  ['a packet cut in its IPv4 header', '0800', '4500 0000', 0],
  ['IPv6', '86dd', ipv6('06') + tcp('50'), 14 + 40 + 20],
  ['ICMPv6', '86dd', ipv6('3a') + zeroes(8), 14 + 40 + 8],
  [
    'IPv6 extension headers',
    '86dd',
    `${ipv6('00')} 2b00${zeroes(6)} 1101${zeroes(14)} ${zeroes(8)}`,
    14 + 40 + 8 + 16 + 8,
  ],
  ['a first fragment of IPv6', '86dd', `${ipv6('2c')} 1100 0001 00000000 ${zeroes(8)}`, 14 + 40 + 8 + 8],
  ['a later fragment of IPv6', '86dd', `${ipv6('2c')} 1100 0009 00000000 ${zeroes(8)}`, 14 + 40 + 8],
  ['VLAN', '8100', `0064 0800 ${ipv4('11')}${zeroes(8)}`, 14 + 4 + 20 + 8],
  ['two VLANs', '88a8', `0064 8100 0065 0800 ${ipv4('11')}${zeroes(8)}`, 14 + 8 + 20 + 8],
  ['IPv4 in IPv4', '0800', ipv4('04') + ipv4('11') + zeroes(8), 14 + 20 + 20 + 8],
  ['IPv6 in IPv4', '0800', ipv4('29') + ipv6('11') + zeroes(8), 14 + 20 + 40 + 8],
  ['GRE', '0800', `${ipv4('2f')} 0000 0800 ${ipv4('11')}${zeroes(8)}`, 14 + 20 + 4 + 20 + 8],
  [
    'GRE with key and Ethernet',
    '0800',
    `${ipv4('2f')} 2000 6558 00000001 ${zeroes(12)} 0800 ${ipv4('11')}${zeroes(8)}`,
    14 + 20 + 8 + 14 + 20 + 8,
  ],
  ['GRE with routing', '0800', `${ipv4('2f')} 4000 0800 ${zeroes(40)}`, 14 + 20],
  ['PPPoE', '8864', `1100 0001 0030 0021 ${ipv4('11')}${zeroes(8)}`, 14 + 8 + 20 + 8],
  ['MPLS', '8847', `00000140 ${zeroes(20)}`, 14 + 4],
  ['ARP', '0806', zeroes(28), 14],
  ['an EtherType that is not known', '88b5', zeroes(28), 0],
])('%s', (_, etherType, contents, offset) => {
  expect(poff(etherType, contents)).toBe(offset);
});

test('headers are followed to a limit, not for ever', () => {
  expect(poff('8100', `0000 8100 `.repeat(1000))).toBeGreaterThan(14);
});
