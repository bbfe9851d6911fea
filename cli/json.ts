import type { Fault } from '#core/vm/fault.ts';

/** A u64 as JSON has it: `"0x…"`. */
export function hex64(value: bigint): string {
  return `0x${BigInt.asUintN(64, value).toString(16)}`;
}

/** A fault with the field names of `cli.md`. */
export function faultJson(fault: Fault | undefined): object | null {
  if (fault === undefined) return null;
  return {
    kind: fault.kind,
    pc: fault.pc,
    xlated_pc: fault.xlatedPc,
    address: fault.address === undefined ? null : hex64(fault.address),
    size: fault.size,
    region: fault.region ?? null,
    message: fault.message,
  };
}

/** Context fields as JSON: numbers up to 32 bits, larger ones as `"0x…"`. */
export function ctxJson(ctx: Readonly<Record<string, bigint>>): Record<string, number | string> {
  return Object.fromEntries(
    Object.entries(ctx).map(([name, value]) => [name, value < 0x1_0000_0000n ? Number(value) : hex64(value)]),
  );
}
