import { kernelFunctionOfImm } from '#core/helpers/numbering.ts';

/** Calls of addresses as they stand in a vector, by what stands in ours in their place. */
export class Addresses {
  readonly #ours = new Map<number, string>();
  readonly #theirs = new Map<string, number>();

  /** Whether this pair agrees with all pairs before. */
  agree(theirs: number, ours: number): boolean {
    const name = kernelFunctionOfImm(ours)?.name;
    if (name === undefined) return false;
    const before = this.#ours.get(theirs);
    if (before === undefined && !this.#theirs.has(name)) {
      this.#ours.set(theirs, name);
      this.#theirs.set(name, theirs);
      return true;
    }
    return before === name;
  }

  get names(): string[] {
    return [...this.#theirs.keys()].sort();
  }
}

/** First slot that differs, helper addresses, map ids and per-CPU addresses aside; undefined: none. */
export function xlatedDifference(
  ours: Uint8Array,
  theirs: Uint8Array,
  addresses: Addresses,
): number | undefined {
  const a = new DataView(ours.buffer, ours.byteOffset, ours.byteLength);
  const b = new DataView(theirs.buffer, theirs.byteOffset, theirs.byteLength);
  for (let at = 0; at < Math.max(ours.length, theirs.length); at += 8) {
    if (at >= ours.length || at >= theirs.length) return at / 8;
    if (a.getInt32(at, true) !== b.getInt32(at, true)) return at / 8;
    const [mine, other] = [a.getInt32(at + 4, true), b.getInt32(at + 4, true)];
    const [opcode, src] = [a.getUint8(at), a.getUint8(at + 1) >> 4];
    const isMap = opcode === 0x18 && (src === 1 || src === 2);
    const isPerCpu = opcode === 0xb7 && at + 16 <= ours.length && a.getUint32(at + 8, true) === 0xffff00bf;
    if (isMap || isPerCpu) continue;
    const isAddress = opcode === 0x85 && src === 0 && other !== 12;
    if (isAddress ? !addresses.agree(other, mine) : mine !== other) return at / 8;
  }
  return undefined;
}
