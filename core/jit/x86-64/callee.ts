import type { InsnIndex } from '../../isa/insn.ts';

/**
 * First slot of the function that a local call at `slot` leads to; undefined: to none.
 *
 * Rewritten programs have it in two ways. As loaded: `imm` is the distance from the next slot, `off` 0. As the
 * kernel shows it of a compiled program: `imm` is the number of the function, `off` the low 16 bits of the
 * distance.
 */
export function calleeOf(
  slot: InsnIndex,
  off: number,
  imm: number,
  funcs: readonly InsnIndex[],
  isFunction: (slot: InsnIndex) => boolean,
): InsnIndex | undefined {
  const loaded = slot + 1 + imm;
  if (off === 0 && isFunction(loaded)) return loaded;
  const start = funcs[imm];
  if (start === undefined || (start - slot - 1) << 16 !== off << 16) return undefined;
  return start;
}
