import { OP } from '../wasm/opcodes.ts';

/** A value on the operand stack or in a local: an i32 as a signed number, an i64 as a signed bigint. */
export type Value = number | bigint;

/** Code cannot go on: it divides by zero, leaves the linear memory, or is none. A host traps there, too. */
export class WasmTrap extends Error {
  override readonly name = 'WasmTrap';
}

/** An instruction that takes values off the stack and leaves one there. */
export interface Operation {
  /** Values that it takes. */
  readonly takes: 1 | 2;
  readonly compute: (a: Value, b: Value) => Value;
}

type Name = keyof typeof OP;

const bool = (value: boolean): number => (value ? 1 : 0);
const unsigned = (value: bigint): bigint => BigInt.asUintN(64, value);
const word = (value: bigint): number => Number(BigInt.asIntN(32, value));
const count32 = (value: number): bigint => BigInt(value & 31);
const count64 = (value: bigint): bigint => value & 63n;

const ON_I32: Readonly<Partial<Record<Name, (a: number, b: number) => number>>> = {
  i32_eq: (a, b) => bool(a === b),
  i32_ne: (a, b) => bool(a !== b),
  i32_lt_s: (a, b) => bool(a < b),
  i32_lt_u: (a, b) => bool(a >>> 0 < b >>> 0),
  i32_gt_s: (a, b) => bool(a > b),
  i32_gt_u: (a, b) => bool(a >>> 0 > b >>> 0),
  i32_le_s: (a, b) => bool(a <= b),
  i32_le_u: (a, b) => bool(a >>> 0 <= b >>> 0),
  i32_ge_s: (a, b) => bool(a >= b),
  i32_ge_u: (a, b) => bool(a >>> 0 >= b >>> 0),
  i32_add: (a, b) => a + b,
  i32_sub: (a, b) => a - b,
  i32_mul: (a, b) => Math.imul(a, b),
  i32_div_s: (a, b) => {
    if (a === -0x8000_0000 && b === -1) throw new WasmTrap('integer overflow');
    return Math.trunc(a / notZero(b));
  },
  i32_div_u: (a, b) => Math.trunc((a >>> 0) / (notZero(b) >>> 0)),
  i32_rem_s: (a, b) => a % notZero(b),
  i32_rem_u: (a, b) => (a >>> 0) % (notZero(b) >>> 0),
  i32_and: (a, b) => a & b,
  i32_or: (a, b) => a | b,
  i32_xor: (a, b) => a ^ b,
  i32_shl: (a, b) => a << b,
  i32_shr_s: (a, b) => a >> b,
  i32_shr_u: (a, b) => a >>> b,
  i32_rotl: (a, b) => word(rotated(BigInt(a >>> 0), count32(b), 32)),
  i32_rotr: (a, b) => word(rotated(BigInt(a >>> 0), count32(-b), 32)),
};

const ON_I64: Readonly<Partial<Record<Name, (a: bigint, b: bigint) => bigint | number>>> = {
  i64_eq: (a, b) => bool(a === b),
  i64_ne: (a, b) => bool(a !== b),
  i64_lt_s: (a, b) => bool(a < b),
  i64_lt_u: (a, b) => bool(unsigned(a) < unsigned(b)),
  i64_gt_s: (a, b) => bool(a > b),
  i64_gt_u: (a, b) => bool(unsigned(a) > unsigned(b)),
  i64_le_s: (a, b) => bool(a <= b),
  i64_le_u: (a, b) => bool(unsigned(a) <= unsigned(b)),
  i64_ge_s: (a, b) => bool(a >= b),
  i64_ge_u: (a, b) => bool(unsigned(a) >= unsigned(b)),
  i64_add: (a, b) => a + b,
  i64_sub: (a, b) => a - b,
  i64_mul: (a, b) => a * b,
  i64_div_s: (a, b) => {
    if (a === -(1n << 63n) && b === -1n) throw new WasmTrap('integer overflow');
    return a / notZero(b);
  },
  i64_div_u: (a, b) => unsigned(a) / unsigned(notZero(b)),
  i64_rem_s: (a, b) => a % notZero(b),
  i64_rem_u: (a, b) => unsigned(a) % unsigned(notZero(b)),
  i64_and: (a, b) => a & b,
  i64_or: (a, b) => a | b,
  i64_xor: (a, b) => a ^ b,
  i64_shl: (a, b) => a << count64(b),
  i64_shr_s: (a, b) => a >> count64(b),
  i64_shr_u: (a, b) => unsigned(a) >> count64(b),
  i64_rotl: (a, b) => rotated(unsigned(a), count64(b), 64),
  i64_rotr: (a, b) => rotated(unsigned(a), count64(-b), 64),
};

const FROM_I32: Readonly<Partial<Record<Name, (a: number) => Value>>> = {
  i32_eqz: (a) => bool(a === 0),
  i32_clz: (a) => Math.clz32(a),
  i32_ctz: (a) => trailingZeros(BigInt(a), 32),
  i32_popcnt: (a) => ones(BigInt(a >>> 0)),
  i32_extend8_s: (a) => (a << 24) >> 24,
  i32_extend16_s: (a) => (a << 16) >> 16,
  i64_extend_i32_s: (a) => BigInt(a),
  i64_extend_i32_u: (a) => BigInt(a >>> 0),
};

const FROM_I64: Readonly<Partial<Record<Name, (a: bigint) => Value>>> = {
  i64_eqz: (a) => bool(a === 0n),
  i64_clz: (a) => BigInt(64 - (a === 0n ? 0 : unsigned(a).toString(2).length)),
  i64_ctz: (a) => BigInt(trailingZeros(a, 64)),
  i64_popcnt: (a) => BigInt(ones(unsigned(a))),
  i64_extend8_s: (a) => BigInt.asIntN(8, a),
  i64_extend16_s: (a) => BigInt.asIntN(16, a),
  i64_extend32_s: (a) => BigInt.asIntN(32, a),
  i32_wrap_i64: word,
};

/** What computes, by opcode. Results are cut to their type; a wrong operand's type is a WasmTrap. */
export const OPERATIONS: ReadonlyMap<number, Operation> = new Map([
  ...entries(
    ON_I32,
    (compute): Operation => ({
      takes: 2,
      compute: (a, b) => cut(compute(i32(a), i32(b))),
    }),
  ),
  ...entries(
    ON_I64,
    (compute): Operation => ({
      takes: 2,
      compute: (a, b) => cut(compute(i64(a), i64(b))),
    }),
  ),
  ...entries(FROM_I32, (compute): Operation => ({ takes: 1, compute: (a) => cut(compute(i32(a))) })),
  ...entries(FROM_I64, (compute): Operation => ({ takes: 1, compute: (a) => cut(compute(i64(a))) })),
]);

/** `value` as an i32. Throws WasmTrap where it is none. */
export function i32(value: Value | undefined): number {
  if (typeof value !== 'number') throw new WasmTrap('an i32 is missing on the operand stack');
  return value;
}

/** `value` as an i64. Throws WasmTrap where it is none. */
export function i64(value: Value | undefined): bigint {
  if (typeof value !== 'bigint') throw new WasmTrap('an i64 is missing on the operand stack');
  return value;
}

function entries<Compute>(
  table: Readonly<Partial<Record<Name, Compute>>>,
  operation: (compute: Compute) => Operation,
): [number, Operation][] {
  return Object.entries(table).map(([name, compute]) => [OP[name as Name], operation(compute as Compute)]);
}

/** Cut to 32 or 64 bits, signed. */
function cut(value: Value): Value {
  return typeof value === 'bigint' ? BigInt.asIntN(64, value) : value | 0;
}

function notZero<Divisor extends Value>(value: Divisor): Divisor {
  if (value === 0 || value === 0n) throw new WasmTrap('division by zero');
  return value;
}

function rotated(value: bigint, count: bigint, bits: 32 | 64): bigint {
  return (value << count) | (value >> (BigInt(bits) - count));
}

function trailingZeros(value: bigint, bits: 32 | 64): number {
  let n = 0;
  while (n < bits && ((value >> BigInt(n)) & 1n) === 0n) n++;
  return n;
}

function ones(value: bigint): number {
  return value.toString(2).replaceAll('0', '').length;
}
