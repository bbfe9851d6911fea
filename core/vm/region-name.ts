import { MAX_BPF_STACK } from './layout.ts';
import type { Region } from './region.ts';

/**
 * Where, in a map's own region, an address at the end of its window leads: in maps with values at a fixed
 * distance from the map pointer, that pointer lies below the next window (`BpfMap.addr`), at `origin`.
 * Undefined: `region` is no such map's, or `offset` (0 … 2^32 − 1) is elsewhere.
 */
export function hiddenOffset(region: Region, offset: number): number | undefined {
  if (region.kind !== 'map' || region.origin >= 0) return undefined;
  const signed = offset - 2 ** 32;
  return signed >= region.origin && signed < region.origin + region.size ? signed : undefined;
}

/** `offset` bytes into `region` in people's words; stacks count from their frame pointer. */
export function nameOffset(region: Region, offset: number): string {
  const stack = region.kind === 'stack';
  const from = stack ? `${region.name}: fp` : region.name;
  const distance = offset - (stack ? MAX_BPF_STACK : region.origin);
  if (distance === 0) return from;
  return distance < 0 ? `${from} - ${-distance}` : `${from} + ${distance}`;
}
