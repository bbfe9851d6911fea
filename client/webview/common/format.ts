/** How a 64-bit value is written. */
export type NumberFormat = 'hex' | 'unsigned' | 'signed';

/** A u64 (or u32), given as `0x…` text, in one of the formats; hex without leading zeros. */
export function formatU64(value: string, format: NumberFormat, bits: 32 | 64 = 64): string {
  const number = BigInt(value);
  switch (format) {
    case 'hex':
      return `0x${number.toString(16)}`;
    case 'unsigned':
      return number.toString();
    case 'signed':
      return BigInt.asIntN(bits, number).toString();
  }
}

const LITERAL = /^([+-]?)(0x[0-9a-f_]+|0b[01_]+|0o[0-7_]+|[0-9][0-9_]*)(?:u?ll|u)?$/i;
const LOWEST = -(1n << 63n);
const HIGHEST = (1n << 64n) - 1n;

/**
 * What is wrong with a typed 64-bit value, as a sentence; nothing for a number that fits and for what is no
 * number at all: that may be an expression, which the adapter judges.
 */
export function problemOfU64(text: string): string | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return 'Type a number (12, -1, 0x1f) or an expression (r2 + 4).';
  const match = LITERAL.exec(trimmed);
  if (!match)
    return /^[+-]?\d/.test(trimmed) && !/[-+*/()\s]/.test(trimmed.slice(1))
      ? `“${trimmed}” is no number: 12, -1, 0x1f.`
      : undefined;
  const digits = (match[2] ?? '').replaceAll('_', '');
  const number = match[1] === '-' ? -BigInt(digits) : BigInt(digits);
  if (number < LOWEST || number > HIGHEST)
    return `${trimmed} does not fit in 64 bits: ${LOWEST} … ${HIGHEST}.`;
  return undefined;
}

/** Nanoseconds, as decimal text, in the unit that a person would take: `840 ns`, `1.25 µs`, `3.1 s`. */
export function formatNs(nsecs: string): string {
  const ns = BigInt(nsecs);
  const units: readonly (readonly [bigint, string])[] = [
    [1_000_000_000n, 's'],
    [1_000_000n, 'ms'],
    [1000n, 'µs'],
  ];
  for (const [size, unit] of units) {
    if (ns < size) continue;
    const hundredths = (ns * 100n) / size;
    const text = `${hundredths / 100n}.${String(hundredths % 100n).padStart(2, '0')}`;
    return `${text.replace(/\.?0+$/, '')} ${unit}`;
  }
  return `${ns} ns`;
}

/** Decimal text with thin spaces between groups of three from five digits on. */
export function groupDigits(decimal: string): string {
  return decimal.length < 5 ? decimal : decimal.replace(/\B(?=(\d{3})+$)/g, '\u2009');
}

/** Name of a place in a stack frame, `at` bytes from its top: `fp-8`, `fp`. */
export function framePlace(at: number): string {
  return at === 0 ? 'fp' : `fp${at < 0 ? '-' : '+'}${Math.abs(at)}`;
}
