/** The instruction that a debugger patches in: one byte, so that it fits over every other. */
export const INT3 = 0xcc;

/**
 * The breakpoints in one image: `int3` over the first byte of an instruction. Those for BPF instructions follow the
 * program's breakpoint bytes; those by address stop wherever they stand, also amid a BPF instruction.
 */
export class Patches {
  /** The image as it lies in memory; as compiled while nothing is patched. */
  memory: Uint8Array;
  readonly #image: Uint8Array;
  readonly #changed: (at: number) => void;
  #slots: ReadonlySet<number> = new Set();
  #addresses: ReadonlySet<number> = new Set();

  /** @param changed told of each offset whose byte has changed. */
  constructor(image: Uint8Array, changed: (at: number) => void) {
    this.memory = image;
    this.#image = image;
    this.#changed = changed;
  }

  /** Is there a breakpoint at the offset? */
  has(at: number): boolean {
    return this.#slots.has(at) || this.#addresses.has(at);
  }

  /** Is there one by address? */
  hasAddress(at: number): boolean {
    return this.#addresses.has(at);
  }

  /** The offsets where BPF instructions with a breakpoint begin, in place of those of before. */
  setSlots(offsets: ReadonlySet<number>): void {
    const before = this.#slots;
    this.#slots = offsets;
    this.#write(before, offsets);
  }

  /** The offsets of breakpoints by address, in place of those of before. */
  setAddresses(offsets: ReadonlySet<number>): void {
    const before = this.#addresses;
    this.#addresses = offsets;
    this.#write(before, offsets);
  }

  #write(before: ReadonlySet<number>, now: ReadonlySet<number>): void {
    for (const at of [...before, ...now]) {
      const byte = this.has(at) ? INT3 : (this.#image[at] ?? 0);
      if (this.memory[at] === byte) continue;
      if (this.memory === this.#image) this.memory = this.#image.slice();
      this.memory[at] = byte;
      this.#changed(at);
    }
  }
}
