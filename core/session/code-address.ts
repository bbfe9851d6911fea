/**
 * Addresses of instructions, as disassembly views and breakpoints by address name them. Each *space* of
 * instructions has addresses of its own, so that an address alone tells which one is meant:
 *
 *     63          48 47              24 23             0
 *     +-------------+------------------+---------------+
 *     | 0x0bbf      | id of program    | byte offset   |   BPF instructions as loaded
 *     +-------------+------------------+---------------+
 *
 * Bits 63…47 of such an address are neither all 0 nor all 1: no x86-64 address looks like this, neither that
 * of native code nor that of an object in memory, nor does an offset into a WebAssembly image.
 */
const BPF_SPACE = 0x0bbfn;

/** Bits of the byte offset: a program has at most 1,000,000 instructions of 8 bytes. */
const OFFSET_BITS = 24n;

/** A place among the instructions of a program as loaded. */
export interface BpfPlace {
  readonly progId: number;
  /** In bytes from the program's first instruction. */
  readonly offset: number;
}

/** Address of the byte at `offset` (0 to 2^24 − 1) of the program with the id `progId` (below 2^24). */
export function bpfAddress(progId: number, offset: number): bigint {
  return (BPF_SPACE << 48n) | (BigInt(progId) << OFFSET_BITS) | BigInt(offset);
}

/** What an address of the BPF space names, whether or not that program exists; undefined for any other. */
export function bpfPlace(address: bigint): BpfPlace | undefined {
  if (address >> 48n !== BPF_SPACE) return undefined;
  return {
    progId: Number(BigInt.asUintN(24, address >> OFFSET_BITS)),
    offset: Number(BigInt.asUintN(Number(OFFSET_BITS), address)),
  };
}

/** The one text for an address: clients compare it letter by letter. */
export function addressText(address: bigint): string {
  return `0x${address.toString(16).padStart(16, '0')}`;
}

/** The address that a reference of any space or object is; undefined for what is none. */
export function referenceAddress(reference: string): bigint | undefined {
  return /^0x[0-9a-fA-F]{1,16}$/.test(reference) ? BigInt(reference) : undefined;
}
