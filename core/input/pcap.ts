import { type Capture, type CapturedPacket, MAX_PACKET_BYTES, MAX_PACKETS } from './captured-packet.ts';
import { copyBytes, lostFrom } from './reading.ts';

const HEADER_SIZE = 24;
const RECORD_HEADER_SIZE = 16;
const MAGIC_MICROS = 0xa1b2c3d4;
const MAGIC_NANOS = 0xa1b23c4d;
const NS_PER_S = 1_000_000_000n;
/** Of the field that holds the link type; the upper bits say whether packets end in a checksum. */
const LINKTYPE_MASK = 0x0fffffff;

/**
 * Reads a pcap file (draft-ietf-opsawg-pcap): `view` begins with one of its four magics.
 *
 *     magic u32 | major u16 | minor u16 | reserved 2 × u32 | snaplen u32 | linktype u32
 *     then per packet: seconds u32 | fraction u32 | captured u32 | original u32 | bytes
 */
export function readPcap(view: DataView): Capture {
  const size = view.byteLength;
  const little = view.getUint32(0) !== MAGIC_MICROS && view.getUint32(0) !== MAGIC_NANOS;
  const nanos = view.getUint32(0, little) === MAGIC_NANOS;
  if (size < HEADER_SIZE) {
    const message = `byte ${size}: the file ends inside the pcap header, which has ${HEADER_SIZE} bytes`;
    return { packets: [], linkType: 1, message };
  }
  const major = view.getUint16(4, little);
  const linkType = view.getUint32(20, little) & LINKTYPE_MASK;
  if (major !== 2) {
    return { packets: [], linkType, message: `byte 4: pcap version ${major}; only version 2 can be read` };
  }
  const packets: CapturedPacket[] = [];
  let at = HEADER_SIZE;
  while (at < size) {
    if (packets.length >= MAX_PACKETS) {
      return { packets, linkType, message: lostFrom(at, size, `more than ${MAX_PACKETS} packets`) };
    }
    if (size - at < RECORD_HEADER_SIZE) {
      const why = `the file ends inside a packet header of ${RECORD_HEADER_SIZE} bytes`;
      return { packets, linkType, message: lostFrom(at, size, why) };
    }
    const captured = view.getUint32(at + 8, little);
    if (captured > MAX_PACKET_BYTES) {
      const why = `a packet of ${captured} bytes, more than the ${MAX_PACKET_BYTES} that a capture can hold`;
      return { packets, linkType, message: lostFrom(at + 8, size, why) };
    }
    if (captured > size - at - RECORD_HEADER_SIZE) {
      const there = size - at - RECORD_HEADER_SIZE;
      const why = `the packet has ${captured} bytes, of which ${there} are there`;
      return { packets, linkType, message: lostFrom(at, size, why) };
    }
    const fraction = BigInt(view.getUint32(at + 4, little));
    packets.push({
      data: copyBytes(view, at + RECORD_HEADER_SIZE, captured),
      originalLength: view.getUint32(at + 12, little),
      timestampNs: BigInt(view.getUint32(at, little)) * NS_PER_S + (nanos ? fraction : fraction * 1000n),
      linkType,
    });
    at += RECORD_HEADER_SIZE + captured;
  }
  return { packets, linkType };
}
