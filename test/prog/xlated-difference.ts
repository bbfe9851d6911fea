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

/**
 * First slot of theirs, a program of which instructions were removed, that does not stand in ours in the same
 * order; undefined: all do. Distances of jumps are not compared, a branch may have become a jump.
 */
export function firstNotKept(ours: Uint8Array, theirs: Uint8Array): number | undefined {
  let at = 0;
  for (let slot = 0; slot * 8 < theirs.length; slot++) {
    while (at * 8 < ours.length && !isKept(ours.subarray(at * 8, at * 8 + 8), theirs.subarray(slot * 8)))
      at++;
    if (at * 8 >= ours.length) return slot;
    at++;
  }
  return undefined;
}

function isKept(ours: Uint8Array, theirs: Uint8Array): boolean {
  const [opcode = 0, regs = 0] = ours;
  const isJump = (opcode & 7) === 5 || (opcode & 7) === 6;
  if (isJump && opcode !== 0x85 && theirs[0] === 0x05) return true;
  if (opcode !== theirs[0] || regs !== theirs[1]) return false;
  const isSame = (from: number, to: number) =>
    Buffer.compare(ours.subarray(from, to), theirs.subarray(from, to)) === 0;
  if (opcode === 0x85 || opcode === 0x05 || opcode === 0x06) return true;
  if (opcode === 0x18 && (regs >> 4 === 1 || regs >> 4 === 2)) return isSame(2, 4);
  return isJump ? isSame(4, 8) : isSame(2, 8);
}
