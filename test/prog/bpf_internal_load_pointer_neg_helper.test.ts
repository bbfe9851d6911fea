import { expect, test } from 'vitest';
import { SK_BUFF } from '#core/ctx/offsets.ts';
import {
  bpfInternalLoadPointerNegHelper,
  SKF_LL_OFF,
  SKF_NET_OFF,
} from '#core/helpers/bpf-internal-load-pointer-neg-helper.ts';
import { machineOf } from './shells.ts';

const HEAD_ROOM = 64;
const SIZE = 60;
const ETH_HLEN = 14;

/** A packet of 60 bytes, 64 bytes behind skb->head, with an Ethernet header. */
function packetOf(mac = HEAD_ROOM, network = HEAD_ROOM + ETH_HLEN, headroom = HEAD_ROOM) {
  const machine = machineOf();
  const packet = machine.space.alloc({ name: 'packet', kind: 'packet', size: SIZE, perm: 'r', headroom });
  const skb = machine.memory.alloc(512);
  const { view } = machine.memory;
  view.setUint32(skb + SK_BUFF.tail, HEAD_ROOM + SIZE, true);
  view.setUint16(skb + SK_BUFF.mac_header, mac, true);
  view.setUint16(skb + SK_BUFF.network_header, network, true);
  return (k: number, size: number): number | undefined => {
    const at = bpfInternalLoadPointerNegHelper(machine, skb, packet, k, size);
    return at === undefined ? undefined : at - packet.base;
  };
}

test.each([
  ['first byte of the network header', SKF_NET_OFF, 1, ETH_HLEN],
  ['a word inside it', SKF_NET_OFF + 12, 4, ETH_HLEN + 12],
  ['last byte from the network header', SKF_NET_OFF + SIZE - ETH_HLEN - 1, 1, SIZE - 1],
  ['last word from the network header', SKF_NET_OFF + SIZE - ETH_HLEN - 4, 4, SIZE - 4],
  ['a word that ends one byte behind the packet', SKF_NET_OFF + SIZE - ETH_HLEN - 3, 4, undefined],
  ['the byte behind the packet', SKF_NET_OFF + SIZE - ETH_HLEN, 1, undefined],
  ['the last offset of all', -1, 1, undefined],
  ['first byte of the MAC header', SKF_LL_OFF, 1, 0],
  ['EtherType', SKF_LL_OFF + 12, 2, 12],
  ['last byte from the MAC header', SKF_LL_OFF + SIZE - 1, 1, SIZE - 1],
  ['one byte behind it', SKF_LL_OFF + SIZE, 1, undefined],
  ['the last offset that counts from the MAC header', SKF_NET_OFF - 1, 1, undefined],
  ['below SKF_LL_OFF', SKF_LL_OFF - 1, 1, undefined],
  ['the least number', -0x80000000, 4, undefined],
])('%s', (_, k, size, expected) => {
  expect(packetOf()(k, size)).toBe(expected);
});

test('without a MAC header only the network header counts', () => {
  const load = packetOf(0xffff);
  expect(load(SKF_LL_OFF, 1)).toBeUndefined();
  expect(load(SKF_NET_OFF, 1)).toBe(ETH_HLEN);
});

test('a header in front of the packet, in its head room, can be read; nothing in front of skb->head can', () => {
  const load = packetOf(HEAD_ROOM - ETH_HLEN, HEAD_ROOM);
  expect(load(SKF_LL_OFF, 1)).toBe(-ETH_HLEN);
  expect(load(SKF_LL_OFF + ETH_HLEN - 1, 2)).toBe(-1);
  expect(load(SKF_LL_OFF + ETH_HLEN, 2)).toBe(0);
  const bare = packetOf(HEAD_ROOM - ETH_HLEN, HEAD_ROOM, 0);
  expect(bare(SKF_LL_OFF, 1)).toBeUndefined();
  expect(bare(SKF_LL_OFF + ETH_HLEN - 1, 2)).toBeUndefined();
  expect(bare(SKF_LL_OFF + ETH_HLEN, 2)).toBe(0);
});
