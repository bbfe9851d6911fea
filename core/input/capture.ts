import { type Capture, LINKTYPE_ETHERNET } from './captured-packet.ts';
import { readPcap } from './pcap.ts';
import { readPcapng } from './pcapng.ts';

export type { Capture, CapturedPacket } from './captured-packet.ts';

const PCAP_MAGICS = new Set([0xa1b2c3d4, 0xd4c3b2a1, 0xa1b23c4d, 0x4d3cb2a1]);
const PCAPNG_SHB = 0x0a0d0d0a;

/**
 * Reads a capture: pcap (both byte orders, micro- and nanoseconds) or pcapng (several sections and
 * interfaces, enhanced, simple and obsolete packet blocks). Never throws: of a truncated or damaged
 * capture the packets up to the damage are given, and `message` says at which byte the rest is lost.
 */
export function readCapture(bytes: Uint8Array): Capture {
  if (bytes.length === 0) return none('the file is empty');
  if (bytes.length < 4) {
    return none(`the file has ${bytes.length} bytes; a pcap or pcapng capture begins with 4 bytes of magic`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = view.getUint32(0);
  if (magic === PCAPNG_SHB) return readPcapng(view);
  if (PCAP_MAGICS.has(magic)) return readPcap(view);
  const hex = magic.toString(16).padStart(8, '0');
  return none(`byte 0: 0x${hex} is the magic of neither pcap (0xa1b2c3d4) nor pcapng (0x0a0d0d0a)`);
}

function none(message: string): Capture {
  return { packets: [], linkType: LINKTYPE_ETHERNET, message };
}
