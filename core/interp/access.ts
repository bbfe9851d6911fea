import { PERM_WRITE } from '../vm/layout.ts';
import { checkedLinear, checkedStore } from '../vm/region-table.ts';
import { type ExecState, hi } from './op.ts';

const WINDOW_SIZE = 2 ** 32;

/**
 * Linear address of `size` bytes at (register + `off`), checked against the region table for `perm`
 * (PERM_READ or PERM_WRITE); 0 when the access is not allowed. `reg` as in `Op.dst`.
 */
export function resolve(s: ExecState, reg: number, off: number, size: number, perm: number): number {
  let offset = s.view.getUint32(s.block + reg, true) + off;
  let high = hi(s, reg);
  if (offset < 0) {
    offset += WINDOW_SIZE;
    high--;
  } else if (offset >= WINDOW_SIZE) {
    offset -= WINDOW_SIZE;
    high++;
  }
  return perm === PERM_WRITE
    ? checkedStore(s, high, offset, size)
    : checkedLinear(s, high, offset, size, perm);
}

/**
 * Linear address of `size` bytes at arena + (u32)register + `off`; 0 when they do not exist or the
 * program has no arena.
 */
export function resolveArena(s: ExecState, reg: number, off: number, size: number, perm: number): number {
  const arena = s.prog.arenaAddr;
  if (arena === undefined) return 0;
  const offset = s.view.getUint32(s.block + reg, true) + off;
  if (offset < 0 || offset >= WINDOW_SIZE) return 0;
  const high = Number(arena >> 32n) | 0;
  return perm === PERM_WRITE
    ? checkedStore(s, high, offset, size)
    : checkedLinear(s, high, offset, size, perm);
}
