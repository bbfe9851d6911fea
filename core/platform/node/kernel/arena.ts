import type { Koffi } from './koffi.ts';

/** A block of memory that the kernel reads or writes, and where it lies. */
export interface Block {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView;
  /** 0 for an empty block, as a null pointer. */
  readonly address: bigint;
}

/** Bytes that are set aside once; what does not fit is allocated for one call. */
const ARENA_SIZE = 1 << 20;

/**
 * Memory for one system call after the other. JavaScript owns it (an `ArrayBuffer` of its own never moves), so
 * nothing external is ever shown to JavaScript; the arena keeps it alive until `reset`.
 */
export class Arena {
  readonly #koffi: Koffi;
  readonly #buffer = new ArrayBuffer(ARENA_SIZE);
  readonly #address: bigint;
  #used = 0;
  #extra: ArrayBuffer[] = [];

  constructor(koffi: Koffi) {
    this.#koffi = koffi;
    this.#address = koffi.address(this.#buffer);
  }

  /** Forgets every block that was handed out: they may be overwritten from now on. */
  reset(): void {
    this.#used = 0;
    this.#extra = [];
  }

  /** `size` zeroed bytes, 8-byte aligned. */
  reserve(size: number): Block {
    if (size === 0) return EMPTY;
    const at = this.#used;
    if (at + size > ARENA_SIZE) return this.#outside(size);
    this.#used = Math.ceil((at + size) / 8) * 8;
    const bytes = new Uint8Array(this.#buffer, at, size).fill(0);
    return {
      bytes,
      view: new DataView(this.#buffer, at, size),
      address: this.#address + BigInt(at),
    };
  }

  /** A copy of `bytes`. */
  put(bytes: Uint8Array): Block {
    const block = this.reserve(bytes.length);
    block.bytes.set(bytes);
    return block;
  }

  /** `text` with its closing zero byte. */
  putText(text: string): Block {
    return this.put(new TextEncoder().encode(`${text}\0`));
  }

  #outside(size: number): Block {
    const buffer = new ArrayBuffer(size);
    this.#extra.push(buffer);
    return {
      bytes: new Uint8Array(buffer),
      view: new DataView(buffer),
      address: this.#koffi.address(buffer),
    };
  }
}

/** Text of a field that the kernel filled: up to its first zero byte. */
export function textUpToZero(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(bytes.slice(0, end < 0 ? bytes.length : end));
}

const EMPTY: Block = { bytes: new Uint8Array(0), view: new DataView(new ArrayBuffer(0)), address: 0n };
