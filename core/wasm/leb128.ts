/** Bytes that a LEB128 number of up to 32 or 64 bits can have. */
const MAX_32 = 5;
const MAX_64 = 10;

/**
 * Reads LEB128 numbers and bytes, front to back. Behind the end of the bytes everything is 0, and `isPast` tells; a
 * number that does not end is cut off after 5 or 10 bytes. Never throws.
 */
export class ByteReader {
  readonly bytes: Uint8Array;
  /** Offset of the next byte, and of the first that is not read. */
  at: number;
  end: number;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = Math.min(end, bytes.length);
  }

  /** Something was read that is not there. */
  get isPast(): boolean {
    return this.at > this.end;
  }

  byte(): number {
    const at = this.at++;
    return at < this.end ? (this.bytes[at] ?? 0) : 0;
  }

  /** An unsigned number, 0 … 2^32 − 1. */
  u32(): number {
    let value = 0;
    for (let i = 0; i < MAX_32; i++) {
      const byte = this.byte();
      value |= (byte & 0x7f) << (7 * i);
      if (byte < 0x80) break;
    }
    return value >>> 0;
  }

  /** A signed number, −2^31 … 2^31 − 1. */
  s32(): number {
    return Number(BigInt.asIntN(32, this.#signed(MAX_32)));
  }

  /** A signed number of 64 bits. */
  s64(): bigint {
    return BigInt.asIntN(64, this.#signed(MAX_64));
  }

  /** Text behind its length; U+FFFD for what is not UTF-8. */
  name(): string {
    const length = this.u32();
    const from = this.at;
    this.at += length;
    return new TextDecoder().decode(this.bytes.subarray(from, Math.min(this.at, this.end)));
  }

  #signed(most: number): bigint {
    let value = 0n;
    let bits = 0n;
    for (let i = 0; i < most; i++) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << bits;
      bits += 7n;
      if (byte < 0x80) break;
    }
    return BigInt.asIntN(Number(bits), value);
  }
}
