/** Writers of small captures for tests, byte by byte as the formats say. */

export interface TestPacket {
  readonly data: Uint8Array;
  /** Whole seconds and fraction in the capture's unit. */
  readonly seconds?: number;
  readonly fraction?: number;
  readonly original?: number;
}

class Writer {
  readonly #bytes: number[] = [];
  readonly #little: boolean;

  constructor(little: boolean) {
    this.#little = little;
  }

  u16(value: number): this {
    const pair = [value & 255, (value >> 8) & 255];
    this.#bytes.push(...(this.#little ? pair : pair.reverse()));
    return this;
  }

  u32(value: number): this {
    const four = [0, 8, 16, 24].map((shift) => (value >>> shift) & 255);
    this.#bytes.push(...(this.#little ? four : four.reverse()));
    return this;
  }

  raw(bytes: Iterable<number>): this {
    this.#bytes.push(...bytes);
    return this;
  }

  pad4(): this {
    while (this.#bytes.length % 4 !== 0) this.#bytes.push(0);
    return this;
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    return Uint8Array.from(this.#bytes);
  }
}

/** A pcap file. */
export function pcap(
  packets: readonly TestPacket[],
  options: { little?: boolean; nanos?: boolean; linkType?: number } = {},
): Uint8Array<ArrayBuffer> {
  const writer = new Writer(options.little ?? true);
  writer
    .u32(options.nanos ? 0xa1b23c4d : 0xa1b2c3d4)
    .u16(2)
    .u16(4)
    .u32(0)
    .u32(0)
    .u32(65535);
  writer.u32(options.linkType ?? 1);
  for (const { data, seconds = 0, fraction = 0, original = data.length } of packets) {
    writer.u32(seconds).u32(fraction).u32(data.length).u32(original).raw(data);
  }
  return writer.bytes;
}

/** One pcapng block with its two lengths. */
export function block(type: number, body: Uint8Array, little = true): Uint8Array<ArrayBuffer> {
  const padded = new Writer(little).raw(body).pad4().bytes;
  const length = padded.length + 12;
  return new Writer(little).u32(type).u32(length).raw(padded).u32(length).bytes;
}

export function sectionHeader(little = true): Uint8Array<ArrayBuffer> {
  const body = new Writer(little).u32(0x1a2b3c4d).u16(1).u16(0).u32(0xffffffff).u32(0xffffffff).bytes;
  return block(0x0a0d0d0a, body, little);
}

export function interfaceBlock(
  options: { linkType?: number; snapLen?: number; tsresol?: number; little?: boolean } = {},
): Uint8Array<ArrayBuffer> {
  const little = options.little ?? true;
  const writer = new Writer(little)
    .u16(options.linkType ?? 1)
    .u16(0)
    .u32(options.snapLen ?? 0);
  if (options.tsresol !== undefined) writer.u16(9).u16(1).raw([options.tsresol, 0, 0, 0]).u16(0).u16(0);
  return block(1, writer.bytes, little);
}

/** Enhanced packet block; `ticks` since 1970 in the interface's unit, below 2^53. */
export function enhancedPacket(
  data: Uint8Array,
  options: { interfaceId?: number; ticks?: number; original?: number; little?: boolean } = {},
): Uint8Array<ArrayBuffer> {
  const { interfaceId = 0, ticks = 0, original = data.length, little = true } = options;
  const writer = new Writer(little).u32(interfaceId);
  writer.u32(Math.floor(ticks / 2 ** 32)).u32(ticks % 2 ** 32);
  return block(6, writer.u32(data.length).u32(original).raw(data).bytes, little);
}

/** Obsolete packet block. */
export function oldPacket(data: Uint8Array, interfaceId = 0): Uint8Array<ArrayBuffer> {
  const writer = new Writer(true).u16(interfaceId).u16(0).u32(0).u32(5).u32(data.length).u32(data.length);
  return block(2, writer.raw(data).bytes);
}

export function simplePacket(data: Uint8Array, original = data.length): Uint8Array<ArrayBuffer> {
  return block(3, new Writer(true).u32(original).raw(data).bytes);
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
