/** Keys that constants are blinded with: a seeded sequence of 32-bit numbers (splitmix32 over both words). */
export class BlindingKeys {
  readonly #hidden: ReadonlySet<number>;
  #low: number;
  #high: number;

  /** `seed`: 64 bits. `hidden`: signed 32-bit numbers that must show up neither as a key nor blinded. */
  constructor(seed: bigint, hidden: ReadonlySet<number>) {
    this.#hidden = hidden;
    this.#low = Number(BigInt.asIntN(32, seed));
    this.#high = Number(BigInt.asIntN(32, seed >> 32n));
  }

  /** A key for `imm`, signed 32 bits, never 0. */
  next(imm: number): number {
    // There are far fewer constants in a program than 32-bit numbers: this ends soon.
    for (;;) {
      const key = this.#draw();
      if (key !== 0 && !this.#hidden.has(key) && !this.#hidden.has(key ^ imm)) return key;
    }
  }

  #draw(): number {
    this.#low = (this.#low + 0x9e3779b9) | 0;
    let z = this.#low ^ this.#high;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return z ^ (z >>> 15);
  }
}
