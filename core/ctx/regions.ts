import type { RegionOptions } from '../vm/address-space.ts';
import type { Machine } from '../vm/machine.ts';
import type { Region } from '../vm/region.ts';

/**
 * Makes several regions, or none: what was made is given back when a later one does not fit.
 * Throws MemoryLimitError.
 */
export function allocRegions<Names extends string>(
  machine: Machine,
  wanted: Readonly<Record<Names, RegionOptions>>,
): Record<Names, Region> {
  const made: Partial<Record<Names, Region>> = {};
  try {
    for (const name of Object.keys(wanted) as Names[]) made[name] = machine.space.alloc(wanted[name]);
  } catch (error) {
    for (const region of Object.values<Region | undefined>(made)) if (region) machine.space.free(region);
    throw error;
  }
  return made as Record<Names, Region>;
}
