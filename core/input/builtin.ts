import { parseHexBytes } from './hex.ts';

/** A packet that needs no capture. */
export interface BuiltinPacket {
  /** Stable name, kebab-case. */
  readonly name: string;
  /** As the packet picker shows it. */
  readonly title: string;
  readonly data: Uint8Array<ArrayBuffer>;
}

const MACS = '02 00 00 00 00 02  02 00 00 00 00 01';

/** Packets with right lengths and checksums, Ethernet from 02:…:01 to 02:…:02. */
export const BUILTIN_PACKETS: readonly BuiltinPacket[] = [
  packet(
    'tcp-syn',
    'TCP SYN 10.0.0.1:40000 → 10.0.0.2:80',
    `${MACS} 08 00
     45 00 00 28 00 01 40 00 40 06 26 cd 0a 00 00 01 0a 00 00 02
     9c 40 00 50 00 00 00 01 00 00 00 00 50 02 ff ff ff 4e 00 00
     00 00 00 00 00 00`,
  ),
  packet(
    'udp-dns',
    'UDP/DNS 10.0.0.1:40000 → 10.0.0.53:53, A example.org?',
    `${MACS} 08 00
     45 00 00 39 00 01 40 00 40 11 26 7e 0a 00 00 01 0a 00 00 35
     9c 40 00 35 00 25 6a 51
     12 34 01 00 00 01 00 00 00 00 00 00
     07 65 78 61 6d 70 6c 65 03 6f 72 67 00 00 01 00 01`,
  ),
  packet(
    'icmp',
    'ICMP echo request 10.0.0.1 → 10.0.0.2',
    `${MACS} 08 00
     45 00 00 24 00 01 00 00 40 01 66 d6 0a 00 00 01 0a 00 00 02
     08 00 d6 ea 00 01 00 01 70 69 6e 67 21 21 21 21
     00 00 00 00 00 00 00 00 00 00`,
  ),
  packet(
    'ipv6',
    'IPv6 TCP SYN [2001:db8::1]:40000 → [2001:db8::2]:443',
    `${MACS} 86 dd
     60 00 00 00 00 14 06 40
     20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01
     20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 02
     9c 40 01 bb 00 00 00 01 00 00 00 00 50 02 ff ff b6 71 00 00`,
  ),
  packet(
    'arp',
    'ARP who has 10.0.0.2? tell 10.0.0.1',
    `ff ff ff ff ff ff  02 00 00 00 00 01 08 06
     00 01 08 00 06 04 00 01 02 00 00 00 00 01 0a 00 00 01
     00 00 00 00 00 00 0a 00 00 02
     00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00`,
  ),
  packet('zeroes', '64 zero bytes', '00'.repeat(64)),
];

/** The packet of a run that names none, so that F5 does something sensible with a bare program. */
export const DEFAULT_PACKET: BuiltinPacket = builtinPacket('tcp-syn') ?? packet('empty', 'no bytes', '');

/** What is said when a program sees `DEFAULT_PACKET` because nobody named one. `names`: how one does. */
export function defaultPacketNotice(names: string): string {
  return `no packet given: the built-in packet "${DEFAULT_PACKET.title}" is used; ${names} names one`;
}

/** The built-in packet of that name. */
export function builtinPacket(name: string): BuiltinPacket | undefined {
  return BUILTIN_PACKETS.find((each) => each.name === name);
}

function packet(name: string, title: string, hex: string): BuiltinPacket {
  return { name, title, data: parseHexBytes(hex).value };
}
