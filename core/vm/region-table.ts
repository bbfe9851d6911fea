import * as layout from './layout.ts';

/** The region table as it lies in linear memory; valid until something is allocated. */
export interface RegionTable {
  readonly view: DataView;
  /** Byte address of its first entry. */
  readonly table: number;
  /** Entries in use. */
  readonly nRegions: number;
}

/** The table as it is now. */
export function regionTable(view: DataView): RegionTable {
  return {
    view,
    table: view.getUint32(layout.HEADER_REGION_TABLE, true),
    nRegions: view.getUint32(layout.HEADER_REGION_COUNT, true),
  };
}

/**
 * The check that every engine makes: byte address of the table entry of the region where `size` bytes at
 * an address, given as its high word (signed) and its low word (unsigned), all exist and programs may do
 * `perm` (PERM_READ or PERM_WRITE); else 0.
 */
function checkedEntry(t: RegionTable, high: number, low: number, size: number, perm: number): number {
  const region = high - layout.WINDOW_HI;
  if (region <= 0 || region >= t.nRegions) return 0;
  const entry = t.table + (region << layout.REGION_ENTRY_SHIFT);
  if (low + size > t.view.getUint32(entry + layout.REGION_SIZE, true)) return 0;
  return t.view.getUint32(entry + layout.REGION_PERM, true) & perm ? entry : 0;
}

/** Linear address of `size` bytes at an address, by the same check; 0: not allowed. */
export function checkedLinear(t: RegionTable, high: number, low: number, size: number, perm: number): number {
  const entry = checkedEntry(t, high, low, size, perm);
  return entry === 0 ? 0 : t.view.getUint32(entry + layout.REGION_BASE, true) + low;
}

/** The same for a store of 1, 2, 4 or 8 bytes that now follows: it is noted in a stack's shadow. */
export function checkedStore(t: RegionTable, high: number, low: number, size: number): number {
  const entry = checkedEntry(t, high, low, size, layout.PERM_WRITE);
  if (entry === 0) return 0;
  const shadow = t.view.getUint32(entry + layout.REGION_SHADOW, true);
  if (shadow !== 0) markWritten(t.view, shadow, low, size);
  return t.view.getUint32(entry + layout.REGION_BASE, true) + low;
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
