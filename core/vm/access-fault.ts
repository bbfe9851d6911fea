import type { AddressSpace } from './address-space.ts';
import type { Problem } from './fault.ts';
import { FUNCTION_HI, MAX_BPF_STACK, MAX_WINDOWS, WINDOW_BASE } from './layout.ts';
import type { Region } from './region.ts';
import { hiddenOffset, nameOffset } from './region-name.ts';

/** What an instruction does with memory. */
export type AccessType = 'read' | 'write';

const WINDOW_END = WINDOW_BASE + (BigInt(MAX_WINDOWS) << 32n);
const FUNCTIONS_BASE = BigInt.asUintN(64, BigInt(FUNCTION_HI) << 32n) + 0x80000000n;

/**
 * Says what is wrong with an access of `size` bytes at `addr`, in the one wording that all engines and
 * helpers use; undefined when nothing is. An access that straddles an end is one problem.
 */
export function accessProblem(
  space: AddressSpace,
  addr: bigint,
  size: number,
  type: AccessType,
): Problem | undefined {
  const problem = problemAt(space, addr, size, type);
  return problem && { ...problem, address: addr, size };
}

function problemAt(space: AddressSpace, addr: bigint, size: number, type: AccessType): Problem | undefined {
  const what = `${type} of ${size} byte${size === 1 ? '' : 's'}`;
  if (addr < WINDOW_BASE || addr >= WINDOW_END) return notAPointer(addr, what);
  const offset = Number(addr & 0xffffffffn);
  const window = Number((addr - WINDOW_BASE) >> 32n);
  const region = space.byId(window);
  // A negative offset from the next window's object: a pointer decremented too far.
  const hidden = region && hiddenOffset(region, offset);
  const behind = offset >= 0x80000000 && hidden === undefined ? space.byId(window + 1) : undefined;
  if (behind !== undefined) return outside(behind, offset - 2 ** 32, what);
  if (region === undefined) return unmapped(space, addr, window, offset, what);
  if (region.perm !== 'none' && offset + size > region.size) return outside(region, offset, what);
  if (region.perm === 'rw' || (region.perm === 'r' && type === 'read')) return undefined;
  const where = nameOffset(region, hidden ?? offset);
  const rule =
    region.perm === 'r' ? `${region.name} is read-only` : `programs cannot access ${region.name} directly`;
  return { kind: 'permission', region: region.name, message: `${what} at ${where}: ${rule}` };
}

function outside(region: Region, offset: number, what: string): Problem {
  const where = `${what} at ${nameOffset(region, offset)}`;
  return { kind: 'out_of_bounds', region: region.name, message: `${where}: ${extent(region)}` };
}

function extent(region: Region): string {
  if (region.kind === 'stack') {
    return region.size === 0
      ? 'the function that owned this stack frame has returned'
      : `a stack frame has ${MAX_BPF_STACK} bytes (fp - ${MAX_BPF_STACK} … fp - 1)`;
  }
  if (region.size === 0) return `${region.name} is empty`;
  const first = -region.origin;
  return `${region.name} has ${region.size} byte${region.size === 1 ? '' : 's'} (${first} … ${first + region.size - 1})`;
}

function unmapped(space: AddressSpace, addr: bigint, window: number, offset: number, what: string): Problem {
  const former = space.formerName(window);
  if (former !== undefined) {
    const distance = offset === 0 ? '' : ` + ${offset}`;
    const message = `${what} at ${former}${distance}: this pointer is stale, ${former} has been freed or moved since; take its address again`;
    return { kind: 'out_of_bounds', region: former, message };
  }
  const nearest = nearestRegion(space, window);
  const hint = nearest === undefined ? '' : `; the nearest is ${nearest.name} at ${hex(nearest.addr)}`;
  const message = `${what} at ${hex(addr)}: no object has this address${hint}`;
  return { kind: 'out_of_bounds', region: nearest?.name, message };
}

function nearestRegion(space: AddressSpace, window: number): Region | undefined {
  let best: Region | undefined;
  for (const region of space.regions()) {
    if (best === undefined || Math.abs(region.id - window) < Math.abs(best.id - window)) best = region;
  }
  return best;
}

function notAPointer(addr: bigint, what: string): Problem {
  const where = `${what} at ${hex(addr)}`;
  let why = 'this number is not a pointer';
  if (addr === 0n) why = 'a null pointer; compare it with 0 before using it';
  else if (addr < 4096n) why = 'a small number, or null plus an offset, is not a pointer';
  else if (addr < 1n << 32n) why = 'this number is not a pointer (a pointer cut to 32 bits is none any more)';
  else if (addr >= FUNCTIONS_BASE) why = 'this is the address of code or an error number, not of data';
  return { kind: 'out_of_bounds', region: undefined, message: `${where}: ${why}` };
}

function hex(addr: bigint): string {
  return `0x${addr.toString(16)}`;
}
