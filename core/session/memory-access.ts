import type { Loaded } from './loaded.ts';
import { regionReference } from './meaning.ts';
import type { Edited, ReadMemoryReply } from './target-api.ts';

/** Most bytes of one answer. */
const MAX_READ = 1 << 20;

/**
 * Bytes of the region that `reference` (`regionReference`) names, from `offset` on. Bytes outside of it
 * count as unreadable; bytes before its start as well, and the answer begins at its first byte then.
 */
export function readRegion(
  loaded: Loaded,
  reference: string,
  offset: number,
  count: number,
): ReadMemoryReply | { readonly message: string } {
  const base = referenceAddress(reference);
  const region = base === undefined ? undefined : loaded.machine.space.regionAt(base);
  if (base === undefined || region === undefined) return { message: noRegion(reference) };
  const wanted = Math.max(0, Math.min(count, MAX_READ));
  const first = Number(base - region.addr) + offset;
  const start = Math.max(0, Math.min(first, region.size));
  const end = Math.max(start, Math.min(first + wanted, region.size));
  const address = region.addr + BigInt(start);
  const bytes = end > start ? loaded.machine.space.read(address, end - start) : undefined;
  return { address, bytes: bytes ?? new Uint8Array(), unreadable: wanted - (end - start) };
}

/** Writes bytes into a region: all of them or, with `allowPartial`, those that lie inside. */
export function writeRegion(
  loaded: Loaded,
  reference: string,
  offset: number,
  bytes: Uint8Array,
  allowPartial: boolean,
): { readonly written: number; readonly edited: Edited } | { readonly message: string } {
  const base = referenceAddress(reference);
  const region = base === undefined ? undefined : loaded.machine.space.regionAt(base);
  if (base === undefined || region === undefined) return { message: noRegion(reference) };
  if (region.kind === 'kernel' || region.kind === 'map') {
    return { message: `${region.name} belongs to the kernel and cannot be written` };
  }
  const start = Number(base - region.addr) + offset;
  const inside = Math.min(bytes.length, region.size - start);
  if (start < 0 || inside <= 0 || (inside < bytes.length && !allowPartial)) {
    return {
      message: `${bytes.length} bytes at ${region.name} + ${start} do not fit: it has ${region.size} bytes`,
    };
  }
  loaded.machine.space.write(region.addr + BigInt(start), bytes.subarray(0, inside));
  const edited = { memory: { reference: regionReference(region.addr), offset: start, count: inside } };
  return { written: inside, edited };
}

function referenceAddress(reference: string): bigint | undefined {
  return /^0x[0-9a-fA-F]{1,16}$/.test(reference) ? BigInt(reference) : undefined;
}

function noRegion(reference: string): string {
  return `there is no memory ${reference.slice(0, 40)} (any more)`;
}
