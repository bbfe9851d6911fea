/** What a region of the address space holds. */
export type RegionKind = 'ctx' | 'packet' | 'stack' | 'map' | 'map_value' | 'memory' | 'kernel' | 'helper';

/** What programs may do with a region; the kernel side may do everything. */
export type RegionPerm = 'rw' | 'r' | 'none';

/**
 * An object of the simulated kernel that programs can point to. It owns the 4 GiB window
 * `addr … addr + 2^32`, of which the first `size` bytes exist.
 */
export interface Region {
  /** Index of the window: `addr` = 0xffff8800_00000000 + (id << 32). */
  readonly id: number;
  /** As people see it: `ctx`, `packet`, `stack of firewall`, `map ports`, `ports[0x50]`. */
  readonly name: string;
  readonly kind: RegionKind;
  readonly addr: bigint;
  /** Bytes. Packets can grow and shrink: read it at each use. */
  readonly size: number;
  /** Byte offset of the first byte in the machine's linear memory. */
  readonly base: number;
  readonly perm: RegionPerm;
  /**
   * Offset in the region that names count from (`packet + 14`): behind a packet's metadata; mostly 0. In a
   * map's own region where its pointer leads, counted from the next window (`BpfMap.addr`), so negative.
   */
  readonly origin: number;
}
