import { calledFunction } from '#core/isa/numbering.ts';
import type { Correspondence } from '#core/platform/node/kernel/xlated-difference.ts';

/** Names of the functions that compared programs called. */
export function functionNames(functions: Correspondence): string {
  const names = functions.ours.map((imm) => calledFunction(imm)?.name ?? imm);
  return names.sort().join(' ');
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
