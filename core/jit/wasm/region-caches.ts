import type { Flow } from './flow.ts';
import * as local from './locals.ts';
import { AX, type JitOp } from './ops.ts';
import {
  type Facts,
  type FactsContext,
  isSite,
  NOWHERE,
  newFacts,
  PointerFacts,
  passFacts,
  regionOf,
} from './pointer-facts.ts';

/** Sites that a function keeps apart: each costs something wherever regions are forgotten. */
const MAX_SITES = 32;

/** What accesses of one size and type that belong to one site remember. */
export interface RegionMemory extends local.RegionCache {
  readonly size: number;
  readonly isWrite: boolean;
}

/** A register that leads into a region which is remembered, and what remembers it. */
export interface RememberedRegion {
  readonly reg: number;
  readonly memory: RegionMemory;
}

/** What region caches are made with. */
export interface CacheContext extends FactsContext {
  /** As in `AccessContext`: where only a limit is checked, one cache of a site serves accesses of all kinds. */
  readonly limit: number | undefined;
}

/** The region caches of one function. */
export class RegionCaches {
  readonly #context: CacheContext;
  /** By site; those of accesses of which nothing is known by their register. */
  readonly #bySite = new Map<number, RegionMemory[]>();
  #count = 0;

  /** Makes a cache for every access of the function that may need one. */
  constructor(context: CacheContext, flow: Flow, atBlocks: PointerFacts) {
    this.#context = context;
    const facts = newFacts();
    flow.blocks.forEach(({ ops }, index) => {
      atBlocks.read(index, facts);
      for (const op of ops) {
        if (op.lowering !== 'step') this.#collect(op, facts);
        passFacts(facts, op, context);
      }
    });
  }

  /** How many there are. */
  get count(): number {
    return this.#count;
  }

  get all(): readonly RegionMemory[] {
    return [...this.#bySite.values()].flat();
  }

  /** Those of a site. */
  of(site: number): readonly RegionMemory[] {
    return this.#bySite.get(site) ?? [];
  }

  /** What accesses of a site remember. */
  find(site: number, size: number, isWrite: boolean): RegionMemory | undefined {
    const isAny = this.#context.limit !== undefined;
    return this.of(site).find((one) => isAny || (one.size === size && one.isWrite === isWrite));
  }

  /** The site that an access through `base` belongs to: where there are too many, that of the register alone. */
  siteOf(region: number, base: number): number {
    if (region !== NOWHERE && (this.#bySite.has(region) || this.#bySite.size < MAX_SITES)) return region;
    return base;
  }

  #collect(op: JitOp, facts: Facts): void {
    const load = op.load;
    const size = load?.size ?? (op.store ?? op.atomic)?.size;
    if (size === undefined) return;
    const base = load === undefined ? op.dst : op.src;
    const region = regionOf(facts, base);
    if (region !== NOWHERE && !isSite(region)) return;
    const isWrite = load === undefined;
    const site = this.siteOf(region, base);
    const caches = this.#bySite.get(site) ?? [];
    this.#bySite.set(site, caches);
    if (this.find(site, size, isWrite) !== undefined) return;
    caches.push({ size, isWrite, ...local.regionCache(this.#count++) });
  }
}

/** What the code of a function remembers of regions at its slots: for whoever goes on amid it. */
export class RememberedRegions {
  readonly #context: CacheContext;
  readonly #flow: Flow;
  readonly #facts: PointerFacts;
  readonly #caches: RegionCaches;

  /** Takes some time: that of looking through the function as compiling it does. */
  constructor(context: CacheContext, flow: Flow) {
    this.#context = context;
    this.#flow = flow;
    this.#facts = new PointerFacts(flow, context);
    this.#caches = new RegionCaches(context, flow, this.#facts);
  }

  /** In front of the instruction at `slot`, or behind it. */
  at(slot: number, side: 'before' | 'behind'): readonly RememberedRegion[] {
    const now = newFacts();
    const index = this.#flow.blocks.findIndex(({ ops }) => ops.some((op) => op.slot === slot));
    this.#facts.read(Math.max(index, 0), now);
    for (const op of this.#flow.blocks[index]?.ops ?? []) {
      if (op.slot === slot && side === 'before') break;
      passFacts(now, op, this.#context);
      if (op.slot === slot) break;
    }
    return Array.from({ length: AX + 1 }, (_, reg) => {
      const region = regionOf(now, reg);
      return isSite(region) ? this.#caches.of(region).map((memory) => ({ reg, memory })) : [];
    }).flat();
  }
}
