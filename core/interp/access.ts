import * as layout from '../vm/layout.ts';
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
  return resolvePair(s, high, offset, size, perm);
}

/** The same for an address given as its high word (signed) and its offset in the window (unsigned). */
export function resolvePair(s: ExecState, high: number, offset: number, size: number, perm: number): number {
  const { view } = s;
  const region = high - layout.WINDOW_HI;
  if (region <= 0 || region >= s.nRegions) return 0;
  const entry = s.table + (region << layout.REGION_ENTRY_SHIFT);
  if (offset + size > view.getUint32(entry + layout.REGION_SIZE, true)) return 0;
  if ((view.getUint32(entry + layout.REGION_PERM, true) & perm) === 0) return 0;
  if (perm === layout.PERM_WRITE) {
    const shadow = view.getUint32(entry + layout.REGION_SHADOW, true);
    if (shadow !== 0) markWritten(view, shadow, offset, size);
  }
  return view.getUint32(entry + layout.REGION_BASE, true) + offset;
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
  return resolvePair(s, Number(arena >> 32n) | 0, offset, size, perm);
}

/** Notes a store of 1, 2, 4 or 8 bytes in the shadow of a stack frame. */
function markWritten(view: DataView, shadow: number, offset: number, size: number): void {
  const groups = shadow + layout.SHADOW_GROUPS;
  view.setUint8(groups + (offset >> layout.SHADOW_GROUP_SHIFT), 1);
  view.setUint8(groups + ((offset + size - 1) >> layout.SHADOW_GROUP_SHIFT), 1);
  const at = shadow + offset;
  if (size === 1) view.setUint8(at, 1);
  else if (size === 2) view.setUint16(at, 0x0101, true);
  else {
    view.setInt32(at, 0x01010101, true);
    if (size === 8) view.setInt32(at + 4, 0x01010101, true);
  }
}
