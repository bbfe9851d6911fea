import { referenceAddress } from './code-address.ts';
import { codeAt } from './disassembly.ts';
import type { Loaded } from './loaded.ts';
import { regionReference } from './meaning.ts';
import type { Edited, ReadMemoryReply } from './target-rows.ts';

/** Most bytes of one answer. */
const MAX_READ = 1 << 20;

/**
 * Bytes of the region that `reference` (`regionReference`) names, or of the program that an instruction's
 * address lies in, from `offset` on. Bytes outside of it
 * count as unreadable; bytes before its start as well, and the answer begins at its first byte then.
 */
export function readRegion(
  loaded: Loaded,
  reference: string,
  offset: number,
  count: number,
): ReadMemoryReply | { readonly message: string } {
  const base = referenceAddress(reference);
  const whole = base === undefined ? undefined : (codeBytes(loaded, base) ?? regionBytes(loaded, base));
  if (base === undefined || whole === undefined) return { message: noRegion(reference) };
  const wanted = Math.max(0, Math.min(count, MAX_READ));
  const first = Number(base - whole.addr) + offset;
  const start = Math.max(0, Math.min(first, whole.size));
  const end = Math.max(start, Math.min(first + wanted, whole.size));
  const address = whole.addr + BigInt(start);
  const bytes = end > start ? whole.read(start, end - start) : new Uint8Array();
  return { address, bytes, unreadable: wanted - (end - start) };
}

/** What a reader can see as one piece. */
interface Readable {
  readonly addr: bigint;
  /** In bytes. */
  readonly size: number;
  /** Bytes that lie inside of it, from `start` on. */
  read(start: number, count: number): Uint8Array;
}

function regionBytes({ machine }: Loaded, base: bigint): Readable | undefined {
  const region = machine.space.regionAt(base);
  if (region === undefined) return undefined;
  const { addr, size } = region;
  return {
    addr,
    size,
    read: (start, count) => machine.space.read(addr + BigInt(start), count) ?? new Uint8Array(),
  };
}

/** The instructions of a program as loaded, which instruction pointers refer to. */
function codeBytes(loaded: Loaded, base: bigint): Readable | undefined {
  const code = codeAt(loaded, base);
  if (code === undefined) return undefined;
  const { addr, bytes } = code;
  return { addr, size: bytes.length, read: (start, count) => bytes.slice(start, start + count) };
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
  if (base !== undefined && codeAt(loaded, base) !== undefined) {
    return { message: 'instructions cannot be changed while the program is loaded' };
  }
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

function noRegion(reference: string): string {
  return `there is no memory ${reference.slice(0, 40)} (any more)`;
}
