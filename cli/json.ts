import type { Fault } from '#core/vm/fault.ts';

/** A u64 as JSON has it: `"0x…"`. */
export function hex64(value: bigint): string {
  return `0x${BigInt.asUintN(64, value).toString(16)}`;
}

/** Bytes as hex text without spaces. */
export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

/** Bytes of hex text (spaces allowed, `0x` in front allowed); undefined when it is none. */
export function bytesOfHex(text: string): Uint8Array | undefined {
  const digits = text.replace(/^\s*0x/i, '').replace(/[\s:_]+/g, '');
  if (digits.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(digits)) return undefined;
  return Uint8Array.from(Buffer.from(digits, 'hex'));
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
