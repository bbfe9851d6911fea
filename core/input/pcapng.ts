import { type Capture, type CapturedPacket, MAX_PACKET_BYTES, MAX_PACKETS } from './captured-packet.ts';
import { copyBytes, lostFrom } from './reading.ts';

const BLOCK_SECTION = 0x0a0d0d0a;
const BLOCK_INTERFACE = 1;
const BLOCK_PACKET = 2;
const BLOCK_SIMPLE = 3;
const BLOCK_ENHANCED = 6;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
/** Type, length, length again. */
const BLOCK_OVERHEAD = 12;
const OPTION_END = 0;
const OPTION_TSRESOL = 9;
const OPTION_TSOFFSET = 14;
const MICROS = 6;
const NS_PER_S = 1_000_000_000n;

interface Interface {
  readonly linkType: number;
  readonly snapLen: number;
  /** Ticks a second. */
  readonly resolution: bigint;
  /** Seconds to add to every time stamp. */
  readonly offset: bigint;
}

/**
 * Reads a pcapng file (draft-ietf-opsawg-pcapng). Blocks:
 *
 *     type u32 | total length u32 | body, padded to 4 bytes | total length u32
 *
 * Each section header sets the byte order and begins a new list of interfaces. Blocks of other types
 * are skipped. Reading stops at the first block that cannot be right.
 */
export function readPcapng(view: DataView): Capture {
  const reader = new PcapngReader(view);
  const problem = reader.readAll();
  const { packets, firstLinkType: linkType } = reader;
  return problem === undefined ? { packets, linkType } : { packets, linkType, message: problem };
}

class PcapngReader {
  readonly packets: CapturedPacket[] = [];
  firstLinkType = 1;
  readonly #view: DataView;
  #little = true;
  #interfaces: Interface[] = [];
  #anyInterface = false;

  constructor(view: DataView) {
    this.#view = view;
  }

  /** Undefined, or what is wrong from which byte on. */
  readAll(): string | undefined {
    const size = this.#view.byteLength;
    let at = 0;
    while (at < size) {
      const lost = (why: string): string => lostFrom(at, size, why);
      if (this.packets.length >= MAX_PACKETS) return lost(`more than ${MAX_PACKETS} packets`);
      if (size - at < BLOCK_OVERHEAD) return lost('the file ends inside a block header');
      const isSection = this.#view.getUint32(at) === BLOCK_SECTION;
      if (isSection) {
        const order = this.#sectionOrder(at);
        if (order === undefined) return lost('a section header without the byte-order magic 0x1a2b3c4d');
        this.#little = order;
        this.#interfaces = [];
      }
      const length = this.#u32(at + 4);
      if (length % 4 !== 0 || length < BLOCK_OVERHEAD) {
        return lost(`a block length of ${length}; it must be a multiple of 4 and at least ${BLOCK_OVERHEAD}`);
      }
      if (length > size - at) return lost(`the block has ${length} bytes, of which ${size - at} are there`);
      if (this.#u32(at + length - 4) !== length) {
        return lost(`the block's two lengths differ (${length} and ${this.#u32(at + length - 4)})`);
      }
      const problem = this.#readBlock(at, length, isSection);
      if (problem !== undefined) return lost(problem);
      at += length;
    }
    return undefined;
  }

  #sectionOrder(at: number): boolean | undefined {
    if (this.#view.getUint32(at + 8, true) === BYTE_ORDER_MAGIC) return true;
    return this.#view.getUint32(at + 8) === BYTE_ORDER_MAGIC ? false : undefined;
  }

  #readBlock(at: number, length: number, isSection: boolean): string | undefined {
    const body = at + 8;
    const end = at + length - 4;
    if (isSection) return this.#checkSection(body, end);
    switch (this.#u32(at)) {
      case BLOCK_INTERFACE:
        return this.#readInterface(body, end);
      case BLOCK_ENHANCED:
        return this.#readTimed(body, end, this.#has(body, end, 20) ? this.#u32(body) : 0);
      case BLOCK_PACKET:
        return this.#readTimed(body, end, this.#has(body, end, 20) ? this.#u16(body) : 0);
      case BLOCK_SIMPLE:
        return this.#readSimple(body, end);
      default:
        return undefined;
    }
  }

  #checkSection(body: number, end: number): string | undefined {
    if (!this.#has(body, end, 16)) return 'a section header that is too short';
    const major = this.#u16(body + 4);
    return major === 1 ? undefined : `pcapng version ${major}; only version 1 can be read`;
  }

  #readInterface(body: number, end: number): string | undefined {
    if (!this.#has(body, end, 8)) return 'an interface description that is too short';
    const linkType = this.#u16(body);
    let resolution = 10n ** BigInt(MICROS);
    let offset = 0n;
    this.#options(body + 8, end, (code, at, size) => {
      if (code === OPTION_TSRESOL && size >= 1) {
        const value = this.#view.getUint8(at);
        resolution = value & 0x80 ? 2n ** BigInt(value & 0x7f) : 10n ** BigInt(value);
      }
      if (code === OPTION_TSOFFSET && size >= 8) offset = this.#view.getBigInt64(at, this.#little);
    });
    this.#interfaces.push({ linkType, snapLen: this.#u32(body + 4), resolution, offset });
    if (!this.#anyInterface) this.firstLinkType = linkType;
    this.#anyInterface = true;
    return undefined;
  }

  /** Enhanced and obsolete packet blocks differ only in how the interface is named. */
  #readTimed(body: number, end: number, interfaceId: number): string | undefined {
    if (!this.#has(body, end, 20)) return 'a packet block that is too short';
    const from = this.#interfaces[interfaceId];
    if (!from) return `a packet of interface ${interfaceId}, which no block describes`;
    const captured = this.#u32(body + 12);
    const problem = this.#lengthProblem(captured, end - body - 20);
    if (problem !== undefined) return problem;
    const ticks = (BigInt(this.#u32(body + 4)) << 32n) | BigInt(this.#u32(body + 8));
    const ns = (ticks * NS_PER_S) / from.resolution + from.offset * NS_PER_S;
    this.#push(body + 20, captured, this.#u32(body + 16), ns < 0n ? 0n : ns, from.linkType);
    return undefined;
  }

  #readSimple(body: number, end: number): string | undefined {
    if (!this.#has(body, end, 4)) return 'a packet block that is too short';
    const from = this.#interfaces[0];
    if (!from) return 'a packet before any interface is described';
    const original = this.#u32(body);
    const captured = Math.min(original, from.snapLen === 0 ? original : from.snapLen);
    const problem = this.#lengthProblem(captured, end - body - 4);
    if (problem !== undefined) return problem;
    this.#push(body + 4, captured, original, 0n, from.linkType);
    return undefined;
  }

  #lengthProblem(captured: number, room: number): string | undefined {
    if (captured > MAX_PACKET_BYTES) {
      return `a packet of ${captured} bytes, more than the ${MAX_PACKET_BYTES} that a capture can hold`;
    }
    return captured > room ? `a packet of ${captured} bytes in a block with room for ${room}` : undefined;
  }

  #push(at: number, size: number, originalLength: number, timestampNs: bigint, linkType: number): void {
    this.packets.push({ data: copyBytes(this.#view, at, size), originalLength, timestampNs, linkType });
  }

  /** Options: code u16, length u16, value padded to 4. Ends quietly where they make no sense. */
  #options(at: number, end: number, see: (code: number, at: number, size: number) => void): void {
    let next = at;
    while (end - next >= 4) {
      const code = this.#u16(next);
      const size = this.#u16(next + 2);
      if (code === OPTION_END || size > end - next - 4) return;
      see(code, next + 4, size);
      next += 4 + Math.ceil(size / 4) * 4;
    }
  }

  #has(body: number, end: number, bytes: number): boolean {
    return end - body >= bytes;
  }

  #u16(at: number): number {
    return this.#view.getUint16(at, this.#little);
  }

  #u32(at: number): number {
    return this.#view.getUint32(at, this.#little);
  }
}
