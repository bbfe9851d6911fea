import * as layout from './layout.ts';
import { type LinearMemory, MemoryLimitError } from './memory.ts';
import type { Region, RegionKind, RegionPerm } from './region.ts';
import { hiddenOffset, nameOffset } from './region-name.ts';
import { TableRegion } from './table-region.ts';
import { Windows } from './windows.ts';

const FIRST_TABLE_ENTRIES = 256;
/** Windows that only `alloc` may take, so that hash values cannot use up what packets need. */
const SPARE_WINDOWS = 1024;
/** Bytes in front of a map's value that are named after it: a hash element's head and key. */
const NAMED_IN_FRONT = 1024;

/** What a new region is to be. */
export interface RegionOptions {
  /** A function where the name depends on the machine's state. */
  readonly name: string | (() => string);
  readonly kind: RegionKind;
  /** Bytes; 0 … 2^31 − 1. */
  readonly size: number;
  readonly perm: RegionPerm;
  /** Alignment of the first byte in linear memory, a power of two, 16 at least. */
  readonly align?: number;
  /** Bytes reserved in front of the region's first byte, for `resize` to grow into (head room). */
  readonly headroom?: number;
  /** Bytes reserved from the region's first byte on (≥ size), for `resize` to grow into (tail room). */
  readonly capacity?: number;
  /** As in `Region`; 0 when not told. */
  readonly origin?: number;
  /** Keep a record of which bytes were written, see `initialised`; for stack frames (512 bytes) only. */
  readonly shadow?: boolean;
}

/** A region over memory that is there already. */
export interface AliasOptions {
  readonly name: string;
  readonly kind: RegionKind;
  /** Bytes. */
  readonly size: number;
  readonly perm: RegionPerm;
  /** Linear address of the first byte. */
  readonly base: number;
}

/**
 * The 64-bit addresses that programs see and the objects behind them. The region table lies in linear
 * memory (`layout.ts`); this class keeps it and the names.
 */
export class AddressSpace {
  readonly #memory: LinearMemory;
  readonly #regions = new Map<number, TableRegion>();
  /** Names of freed regions by window, for messages, until the window is given out again. */
  readonly #former = new Map<number, string>();
  readonly #windows = new Windows();
  #tableEntries = 0;

  constructor(memory: LinearMemory) {
    this.#memory = memory;
    this.#setTable(memory.alloc(FIRST_TABLE_ENTRIES << layout.REGION_ENTRY_SHIFT), FIRST_TABLE_ENTRIES);
    memory.view.setUint32(layout.HEADER_REGION_COUNT, 1, true);
  }

  /**
   * Makes a region of zeroed memory in the next window. Throws MemoryLimitError when memory or windows
   * run out.
   */
  alloc(options: RegionOptions): Region {
    return this.#allocIn(this.#takeWindow(), options);
  }

  /**
   * Makes regions in consecutive windows: the address of each is 2^32 above that of the one before. Throws
   * MemoryLimitError, with nothing taken, when memory or windows run out.
   */
  allocAll(options: readonly RegionOptions[]): Region[] {
    const first = this.#takeWindows(options.length);
    const regions: Region[] = [];
    try {
      for (const [index, one] of options.entries()) regions.push(this.#allocIn(first + index, one));
      return regions;
    } catch (error) {
      for (const region of regions) this.free(region);
      for (let id = first + regions.length + 1; id < first + options.length; id++) this.#windows.give(id);
      throw error;
    }
  }

  /** `alloc` in a window already taken, which is given back on failure. */
  #allocIn(id: number, options: RegionOptions): Region {
    const headroom = options.headroom ?? 0;
    const bytes = headroom + Math.max(options.capacity ?? 0, options.size);
    let block: number;
    try {
      block = this.#memory.alloc(options.shadow ? bytes + layout.SHADOW_SIZE : bytes, options.align);
    } catch (error) {
      this.#windows.give(id);
      throw error;
    }
    const room = { start: block, end: block + bytes, block };
    const shadow = options.shadow ? block + bytes : 0;
    const region = this.#add(id, options, block + headroom, room, shadow);
    region.origin = options.origin ?? 0;
    return region;
  }

  /**
   * Makes a region over linear memory that belongs to someone else (a map's value); undefined when
   * windows are getting scarce.
   */
  alias(options: AliasOptions): Region | undefined {
    return this.freeWindows <= SPARE_WINDOWS
      ? undefined
      : this.#aliasIn(this.#takeWindow(SPARE_WINDOWS), options);
  }

  /** The same in consecutive windows, one for each of `options`; undefined when there are none any more. */
  aliasRow(options: readonly AliasOptions[]): Region[] | undefined {
    if (this.freeWindows < SPARE_WINDOWS + options.length) return undefined;
    try {
      return this.aliasAll(options);
    } catch (error) {
      if (error instanceof MemoryLimitError) return undefined;
      throw error;
    }
  }

  /** The same in consecutive windows, from the spare ones if need be. Throws MemoryLimitError, with nothing taken. */
  aliasAll(options: readonly AliasOptions[]): Region[] {
    const first = this.#takeWindows(options.length);
    return options.map((one, index) => this.#aliasIn(first + index, one));
  }

  #aliasIn(id: number, options: AliasOptions): Region {
    const room = { start: options.base, end: options.base + options.size, block: 0 };
    return this.#add(id, options, options.base, room, 0);
  }

  /** Takes the region out of the address space; pointers into it fault from now on. */
  free(region: Region): void {
    const own = this.#own(region);
    this.#drop(own);
    if (own.room.block !== 0) this.#memory.free(own.room.block);
  }

  /**
   * Changes where a region ends and begins. `size`: new size in bytes from its first byte on, inside the
   * capacity. `front`: bytes to add (negative: take away) in front, inside the head room; then the region
   * moves to a new window, in which offset 0 is the new first byte, because an old pointer must not
   * quietly mean another byte. `origin` as in `Region`. Returns the region to use from now on, or
   * undefined (nothing changed) when there is no room or no byte would be left of a negative size.
   */
  resize(region: Region, to: { size?: number; front?: number; origin?: number }): Region | undefined {
    const own = this.#own(region);
    const front = to.front ?? 0;
    const base = own.base - front;
    const size = (to.size ?? own.size) + front;
    if (size < 0 || base < own.room.start || base + size > own.room.end) return undefined;
    if (front === 0) {
      this.#setField(own.id, layout.REGION_SIZE, size);
      own.origin = to.origin ?? own.origin;
      return own;
    }
    const options = { name: own.name, kind: own.kind, size, perm: own.perm };
    this.#drop(own);
    const moved = this.#add(this.#takeWindow(), options, base, own.room, 0);
    moved.origin = to.origin ?? own.origin;
    return moved;
  }

  /** The region whose window `addr` lies in (the address itself may be outside its bytes). */
  regionAt(addr: bigint): Region | undefined {
    return this.#regions.get(Number((addr - layout.WINDOW_BASE) >> 32n));
  }

  byId(id: number): Region | undefined {
    return this.#regions.get(id);
  }

  /** All regions by window number. */
  regions(): Region[] {
    return [...this.#regions.values()].sort((a, b) => a.id - b.id);
  }

  /** Name that the region in window `id` had before it was freed. */
  formerName(id: number): string | undefined {
    return this.#former.get(id);
  }

  rename(region: Region, name: string): void {
    this.#own(region).name = name;
  }

  /** Bytes in front of the region's first byte that `resize` can still add. */
  headroom(region: Region): number {
    const own = this.#own(region);
    return own.base - own.room.start;
  }

  /** Windows that can still be given out. */
  get freeWindows(): number {
    return this.#windows.left;
  }

  /** Linear address of `size` bytes at `addr` when they all exist, whatever programs may do there. */
  linear(addr: bigint, size: number): number | undefined {
    const region = this.regionAt(addr);
    if (region === undefined) return undefined;
    const offset = Number(addr & 0xffffffffn);
    return offset + size <= region.size ? region.base + offset : undefined;
  }

  /** A copy of `size` bytes at `addr`; undefined when not all exist. Ignores permissions. */
  read(addr: bigint, size: number): Uint8Array<ArrayBuffer> | undefined {
    const at = this.linear(addr, size);
    return at === undefined ? undefined : this.#memory.copy(at, size);
  }

  /** Writes all of `bytes` or, when not all exist, nothing (false). Ignores permissions. */
  write(addr: bigint, bytes: Uint8Array): boolean {
    const at = this.linear(addr, bytes.length);
    if (at === undefined) return false;
    this.#memory.bytes.set(bytes, at);
    this.markWritten(addr, bytes.length);
    return true;
  }

  /** Notes that `size` bytes at `addr`, which exist, were written: for those who write to linear memory themselves. */
  markWritten(addr: bigint, size: number): void {
    const shadow = this.#shadowOf(addr);
    if (shadow === 0 || size === 0) return;
    const offset = Number(addr & 0xffffffffn);
    const { bytes } = this.#memory;
    bytes.fill(1, shadow + offset, shadow + offset + size);
    const groups = shadow + layout.SHADOW_GROUPS;
    const last = (offset + size - 1) >> layout.SHADOW_GROUP_SHIFT;
    bytes.fill(1, groups + (offset >> layout.SHADOW_GROUP_SHIFT), groups + last + 1);
  }

  /**
   * For each of `size` bytes at `addr` 1 when it was written since its frame was entered, else 0;
   * undefined where no record is kept (everything but stacks) or not all bytes exist.
   */
  initialised(addr: bigint, size: number): Uint8Array<ArrayBuffer> | undefined {
    const shadow = this.#shadowOf(addr);
    if (shadow === 0 || this.linear(addr, size) === undefined) return undefined;
    return this.#memory.copy(shadow + Number(addr & 0xffffffffn), size);
  }

  /**
   * An address in people's words: `packet + 14`, `stack of main: fp - 8`, `map ports`; undefined when it
   * is not inside (or one past the end of) a region.
   */
  describe(addr: bigint): string | undefined {
    const region = this.regionAt(addr);
    if (region === undefined) return undefined;
    const offset = Number(addr & 0xffffffffn);
    if (offset <= region.size) return nameOffset(region, offset);
    const hidden = hiddenOffset(region, offset);
    if (hidden !== undefined) return nameOffset(region, hidden);
    // What inlined hash lookups have for a moment: the element, whose value has a window of its own.
    const value = this.#regions.get(region.id + 1);
    const inFront = 2 ** 32 - offset;
    return value?.kind === 'map_value' && inFront <= NAMED_IN_FRONT ? nameOffset(value, -inFront) : undefined;
  }

  #add(
    id: number,
    options: RegionOptions,
    base: number,
    room: TableRegion['room'],
    shadow: number,
  ): TableRegion {
    const region = new TableRegion(this.#memory, id, options, room);
    this.#setField(id, layout.REGION_BASE, base);
    this.#setField(id, layout.REGION_SIZE, options.size);
    this.#setField(id, layout.REGION_PERM, permBits(options.perm));
    this.#setField(id, layout.REGION_SHADOW, shadow);
    this.#regions.set(id, region);
    this.#former.delete(id);
    return region;
  }

  #drop(region: TableRegion): void {
    this.#setField(region.id, layout.REGION_SIZE, 0);
    this.#setField(region.id, layout.REGION_PERM, 0);
    this.#regions.delete(region.id);
    this.#former.set(region.id, region.name);
    this.#windows.give(region.id);
  }

  #takeWindow(spare = 0): number {
    const id = this.#windows.take(spare);
    this.#cover(id, 1);
    return id;
  }

  /** The first of `count` neighbouring windows. */
  #takeWindows(count: number): number {
    const first = this.#windows.takeRun(count);
    this.#cover(first, count);
    return first;
  }

  /** Makes room in the table for windows just taken; gives them back when there is no memory for it. */
  #cover(first: number, count: number): void {
    try {
      while (first + count > this.#tableEntries) this.#growTable();
    } catch (error) {
      for (let id = first; id < first + count; id++) this.#windows.give(id);
      throw error;
    }
    const known = this.#memory.view.getUint32(layout.HEADER_REGION_COUNT, true);
    this.#memory.view.setUint32(layout.HEADER_REGION_COUNT, Math.max(known, first + count), true);
  }

  #growTable(): void {
    const old = this.#memory.view.getUint32(layout.HEADER_REGION_TABLE, true);
    const entries = this.#tableEntries * 2;
    const table = this.#memory.alloc(entries << layout.REGION_ENTRY_SHIFT);
    this.#memory.bytes.copyWithin(table, old, old + (this.#tableEntries << layout.REGION_ENTRY_SHIFT));
    this.#setTable(table, entries);
    this.#memory.free(old);
  }

  #setTable(at: number, entries: number): void {
    this.#memory.view.setUint32(layout.HEADER_REGION_TABLE, at, true);
    this.#tableEntries = entries;
  }

  #field(id: number, field: number): number {
    const { view } = this.#memory;
    const table = view.getUint32(layout.HEADER_REGION_TABLE, true);
    return view.getUint32(table + (id << layout.REGION_ENTRY_SHIFT) + field, true);
  }

  #setField(id: number, field: number, value: number): void {
    const view = this.#memory.view;
    const table = view.getUint32(layout.HEADER_REGION_TABLE, true);
    view.setUint32(table + (id << layout.REGION_ENTRY_SHIFT) + field, value, true);
  }

  /** Linear address of the shadow of the region at `addr`; 0: it has none. */
  #shadowOf(addr: bigint): number {
    const region = this.regionAt(addr);
    return region === undefined ? 0 : this.#field(region.id, layout.REGION_SHADOW);
  }

  #own(region: Region): TableRegion {
    const own = this.#regions.get(region.id);
    if (own !== region)
      throw new RangeError(`region ${region.name} (${region.id}) is not in the address space`);
    return own;
  }
}

function permBits(perm: RegionPerm): number {
  return perm === 'rw' ? layout.PERM_READ | layout.PERM_WRITE : perm === 'r' ? layout.PERM_READ : 0;
}
