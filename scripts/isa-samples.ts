import type { InsnOperands } from '../core/isa/encode.ts';
import type { InsnRow } from '../core/isa/row.ts';

/**
 * Two sets of operands for a row, chosen so that fields cannot be confused: different registers,
 * positive and negative offsets and immediates, both halves of a wide number in use.
 * Scripts record what other tools make of them, tests compare.
 */
export function sampleOperands(row: InsnRow): readonly InsnOperands[] {
  const nextImm =
    row.imm === 'imm64' ? [7, -1] : row.imm === 'mapvalue' || row.imm === 'mapidxvalue' ? [7, 16] : [0, 0];
  const imm = row.id === 'addr_space_cast' ? [1, 0x10000] : row.imm === 'atomic_op' ? [0x01, 0xe1] : [5, -3];
  // Map numbers and BTF ids are never negative.
  const numbered = ['mapfd', 'mapvalue', 'mapidx', 'mapidxvalue', 'btfid', 'kfunc'].includes(String(row.imm));
  const second = numbered ? 1000 : (imm[1] ?? 0);
  return [
    { dst: 1, src: 2, off: 4, imm: imm[0] ?? 0, nextImm: nextImm[0] ?? 0 },
    { dst: 7, src: 8, off: -8, imm: second, nextImm: nextImm[1] ?? 0 },
  ];
}
