import * as layout from './layout.ts';
import type { LinearMemory } from './memory.ts';
import type { Region, RegionKind, RegionPerm } from './region.ts';

/** A region whose extent is read from the table, where engines find (and for stacks change) it. */
export class TableRegion implements Region {
  readonly id: number;
  readonly addr: bigint;
  readonly kind: RegionKind;
  origin = 0;
  #name: string | (() => string);
  /** Linear extent that `resize` may use; block: address to give back, 0 = not this region's. */
  readonly room: { readonly start: number; readonly end: number; readonly block: number };
  readonly #memory: LinearMemory;

  constructor(
    memory: LinearMemory,
    id: number,
    options: Pick<Region, 'kind'> & { readonly name: string | (() => string) },
    room: TableRegion['room'],
  ) {
    this.#memory = memory;
    this.id = id;
    this.addr = layout.WINDOW_BASE + (BigInt(id) << 32n);
    this.kind = options.kind;
    this.#name = options.name;
    this.room = room;
  }

  get name(): string {
    return typeof this.#name === 'string' ? this.#name : this.#name();
  }

  set name(name: string) {
    this.#name = name;
  }

  get base(): number {
    return this.#field(layout.REGION_BASE);
  }

  get size(): number {
    return this.#field(layout.REGION_SIZE);
  }

  get perm(): RegionPerm {
    const bits = this.#field(layout.REGION_PERM);
    return bits & layout.PERM_WRITE ? 'rw' : bits & layout.PERM_READ ? 'r' : 'none';
  }

  #field(offset: number): number {
    const view = this.#memory.view;
    const table = view.getUint32(layout.HEADER_REGION_TABLE, true);
    return view.getUint32(table + (this.id << layout.REGION_ENTRY_SHIFT) + offset, true);
  }
}
