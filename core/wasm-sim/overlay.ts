import type { LinearMemory } from '../vm/memory.ts';
import { WasmTrap } from './numeric.ts';

/**
 * A linear memory with what was written to it kept apart: readers see it, the memory stays as it is. Numbers are
 * little endian, addresses 0 … 2^33.
 */
export class Overlay {
  readonly #memory: LinearMemory;
  /** An access that begins here reads 0, whatever is there; undefined: none. */
  zeroAt: number | undefined;
  /** Bytes by their address. */
  readonly #written = new Map<number, number>();

  constructor(memory: LinearMemory) {
    this.#memory = memory;
  }

  /** The bytes that were written, by address. */
  get written(): ReadonlyMap<number, number> {
    return this.#written;
  }

  /** `size` bytes at `addr` as an unsigned number. Throws WasmTrap outside of the memory. */
  read(addr: number, size: number): bigint {
    this.#check(addr, size);
    if (addr === this.zeroAt) return 0n;
    const { bytes } = this.#memory;
    let value = 0n;
    for (let i = size - 1; i >= 0; i--) {
      const byte = this.#written.get(addr + i) ?? bytes[addr + i] ?? 0;
      value = (value << 8n) | BigInt(byte);
    }
    return value;
  }

  /** Writes the low `size` bytes of `value`. Throws WasmTrap outside of the memory. */
  write(addr: number, size: number, value: bigint): void {
    this.#check(addr, size);
    for (let i = 0; i < size; i++) {
      this.#written.set(addr + i, Number((value >> BigInt(8 * i)) & 0xffn));
    }
  }

  /** Forgets what was written. */
  clear(): void {
    this.#written.clear();
  }

  #check(addr: number, size: number): void {
    const end = this.#memory.bytes.length;
    if (addr + size > end) throw new WasmTrap(`${size} bytes at ${addr}: the memory ends at ${end}`);
  }
}
