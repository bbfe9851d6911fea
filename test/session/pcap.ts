/** A pcap file (microseconds, little endian, Ethernet) of packets, made in memory. */
export function pcapOf(packets: readonly Uint8Array[]): Uint8Array {
  const size = 24 + packets.reduce((sum, packet) => sum + 16 + packet.length, 0);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0xa1b2c3d4, true);
  view.setUint16(4, 2, true);
  view.setUint16(6, 4, true);
  view.setUint32(16, 65535, true);
  view.setUint32(20, 1, true);
  let at = 24;
  for (const [i, packet] of packets.entries()) {
    view.setUint32(at, 1_700_000_000 + i, true);
    view.setUint32(at + 8, packet.length, true);
    view.setUint32(at + 12, packet.length, true);
    bytes.set(packet, at + 16);
    at += 16 + packet.length;
  }
  return bytes;
}
