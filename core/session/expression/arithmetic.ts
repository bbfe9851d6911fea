import { INT_TYPES, type IntType } from './parse.ts';
import { ExprFailure, type ExprValue } from './value.ts';

/** An integer by its unsigned 64-bit pattern. */
export interface IntValue {
  readonly bits: bigint;
  readonly type: IntType;
}

/**
 * A binary operation of expressions: 64 bits that wrap around, signed where both sides are.
 * `at`: where a division by zero is told.
 */
export function compute(
  op: string,
  left: IntValue,
  right: IntValue,
  at: number,
): ExprValue & { kind: 'int' } {
  const leftSigned = INT_TYPES[left.type].signed;
  const signed = leftSigned && INT_TYPES[right.type].signed;
  const type: IntType = signed ? 's64' : 'u64';
  const result = (bits: bigint, as: IntType = type): ExprValue & { kind: 'int' } => ({
    kind: 'int',
    bits: BigInt.asUintN(64, bits),
    type: as,
  });
  const a = signed ? BigInt.asIntN(64, left.bits) : left.bits;
  const b = signed ? BigInt.asIntN(64, right.bits) : right.bits;
  const shift = right.bits & 63n;
  switch (op) {
    case '+':
      return result(a + b);
    case '-':
      return result(a - b);
    case '*':
      return result(a * b);
    case '/':
    case '%':
      if (b === 0n) throw new ExprFailure(`${op === '/' ? 'division' : 'remainder'} by zero`, at);
      return result(op === '/' ? a / b : a % b);
    case '<<':
      return result(left.bits << shift, leftSigned ? 's64' : 'u64');
    case '>>':
      return leftSigned
        ? result(BigInt.asIntN(64, left.bits) >> shift, 's64')
        : result(left.bits >> shift, 'u64');
    case '&':
      return result(left.bits & right.bits);
    case '|':
      return result(left.bits | right.bits);
    case '^':
      return result(left.bits ^ right.bits);
    default:
      return truth(compare(op, left.bits, right.bits, signed));
  }
}

function compare(op: string, left: bigint, right: bigint, signed: boolean): boolean {
  const asSigned = signed || op.startsWith('s');
  const a = asSigned ? BigInt.asIntN(64, left) : left;
  const b = asSigned ? BigInt.asIntN(64, right) : right;
  switch (op.replace('s', '')) {
    case '==':
      return a === b;
    case '!=':
      return a !== b;
    case '<':
      return a < b;
    case '>':
      return a > b;
    case '<=':
      return a <= b;
    default:
      return a >= b;
  }
}

/** C's result of a comparison. */
export function truth(value: boolean): ExprValue & { kind: 'int' } {
  return { kind: 'int', bits: value ? 1n : 0n, type: 's64' };
}

/** Cuts to the type's width and extends to 64 bits again, by its sign; `be…` swaps the bytes. */
export function cutTo(bits: bigint, type: IntType): bigint {
  const { bits: width, signed, big } = INT_TYPES[type];
  const cut = BigInt.asUintN(width, bits);
  const swapped = big ? fromBytes(toBytes(cut, width / 8, false), true) : cut;
  return BigInt.asUintN(64, signed ? BigInt.asIntN(width, swapped) : swapped);
}

/** An unsigned number from bytes. */
export function fromBytes(bytes: Uint8Array, big: boolean): bigint {
  let value = 0n;
  for (let i = 0; i < bytes.length; i++) {
    value = (value << 8n) | BigInt(bytes[big ? i : bytes.length - 1 - i] ?? 0);
  }
  return value;
}

/** The low `size` bytes of a number. */
export function toBytes(value: bigint, size: number, big: boolean): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) bytes[big ? size - 1 - i : i] = Number((value >> BigInt(8 * i)) & 0xffn);
  return bytes;
}
