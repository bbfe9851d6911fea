import type { RegionOptions } from '../vm/address-space.ts';
import type { Machine } from '../vm/machine.ts';
import type { Region } from '../vm/region.ts';

/** The regions that were made; undefined for those that were not wanted. */
type Made<Wanted> = {
  [Name in keyof Wanted]: Wanted[Name] extends RegionOptions ? Region : Region | undefined;
};

/**
 * Makes several regions, or none: what was made is given back when a later one does not fit.
 * Throws MemoryLimitError.
 */
export function allocRegions<const Wanted extends Readonly<Record<string, RegionOptions | undefined>>>(
  machine: Machine,
  wanted: Wanted,
): Made<Wanted> {
  const made: Record<string, Region> = {};
  try {
    for (const [name, options] of Object.entries(wanted)) {
      if (options !== undefined) made[name] = machine.space.alloc(options);
    }
  } catch (error) {
    for (const region of Object.values(made)) machine.space.free(region);
    throw error;
  }
  return made as Made<Wanted>;
}
