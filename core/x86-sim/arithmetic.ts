import { mulHigh, swap32 } from '../interp/int64.ts';
import type { Native } from './state.ts';

/** Computes `n.lo`, `n.hi` from the first operand, which is there, and the second; sets the flags (SDM volume 2). */
export type Binary = (n: Native, lo: number, hi: number) => void;

/** ZF and SF of the value in `n`. */
function result(n: Native, bits: 32 | 64): void {
  if (bits === 32) n.hi = 0;
  n.zf = n.lo === 0 && n.hi === 0;
  n.sf = (bits === 32 ? n.lo : n.hi) < 0;
}

/** ADD. */
export function add(bits: 32 | 64): Binary {
  return (n, lo, hi) => {
    const [a, b] = bits === 32 ? [n.lo, lo] : [n.hi, hi];
    const low = (n.lo + lo) | 0;
    const carry = low >>> 0 < n.lo >>> 0 ? 1 : 0;
    const high = (n.hi + hi + carry) | 0;
    n.cf = bits === 32 ? carry === 1 : (n.hi >>> 0) + (hi >>> 0) + carry >= 2 ** 32;
    n.lo = low;
    n.hi = high;
    result(n, bits);
    n.of = (a ^ b) >= 0 && n.sf !== a < 0;
  };
}

/** SUB, CMP. */
export function sub(bits: 32 | 64): Binary {
  return (n, lo, hi) => {
    const [a, b] = bits === 32 ? [n.lo, lo] : [n.hi, hi];
    const borrow = n.lo >>> 0 < lo >>> 0 ? 1 : 0;
    n.cf = bits === 32 ? borrow === 1 : (n.hi >>> 0) - (hi >>> 0) - borrow < 0;
    n.hi = (n.hi - hi - borrow) | 0;
    n.lo = (n.lo - lo) | 0;
    result(n, bits);
    n.of = (a ^ b) < 0 && n.sf !== a < 0;
  };
}

/** AND, OR, XOR, TEST. */
export function bitwise(bits: 32 | 64, combine: (a: number, b: number) => number): Binary {
  return (n, lo, hi) => {
    n.lo = combine(n.lo, lo);
    n.hi = combine(n.hi, hi);
    n.cf = false;
    n.of = false;
    result(n, bits);
  };
}

/** IMUL: the low half of the product. */
export const imul: Binary = (n, lo, hi) => {
  const high = mulHigh(n.lo, lo) + Math.imul(n.hi, lo) + Math.imul(n.lo, hi);
  n.lo = Math.imul(n.lo, lo);
  n.hi = high | 0;
};

/** NEG. */
export function neg(bits: 32 | 64): (n: Native) => void {
  const subtract = sub(bits);
  return (n) => {
    const { lo, hi } = n;
    n.lo = 0;
    n.hi = 0;
    subtract(n, lo, hi);
  };
}

/** The count of a shift, and whether it changes anything; the flags are those of the value. */
function shift(bits: 32 | 64, to: (n: Native, count: number) => void, withFlags: boolean): Binary {
  return (n, count) => {
    const by = count & (bits - 1);
    if (by === 0) return;
    to(n, by);
    if (withFlags) result(n, bits);
    else if (bits === 32) n.hi = 0;
  };
}

function left(n: Native, by: number): void {
  const { lo, hi } = n;
  n.lo = by >= 32 ? 0 : lo << by;
  n.hi = by >= 32 ? lo << (by - 32) : (hi << by) | (lo >>> (32 - by));
}

function right(n: Native, by: number): void {
  const { lo, hi } = n;
  n.lo = by >= 32 ? hi >>> (by - 32) : (lo >>> by) | (hi << (32 - by));
  n.hi = by >= 32 ? 0 : hi >>> by;
}

function rightSigned(n: Native, by: number): void {
  const { lo, hi } = n;
  n.lo = by >= 32 ? hi >> (by - 32) : (lo >>> by) | (hi << (32 - by));
  n.hi = by >= 32 ? hi >> 31 : hi >> by;
}

/** SHL, or SHLX without flags. CF and OF, which nothing that is emitted reads, stay. */
export function shl(bits: 32 | 64, withFlags: boolean): Binary {
  return shift(bits, left, withFlags);
}

/** SHR, SHRX. */
export function shr(bits: 32 | 64, withFlags: boolean): Binary {
  return shift(bits, right, withFlags);
}

/** SAR, SARX. */
export function sar(bits: 32 | 64, withFlags: boolean): Binary {
  const to = (n: Native, by: number): void => {
    if (bits === 32) n.lo >>= by;
    else rightSigned(n, by);
  };
  return shift(bits, to, withFlags);
}

/** ROL of 64 bits. */
export const rol64: Binary = (n, count) => {
  const by = count & 63;
  const { lo, hi } = n;
  if (by === 0) return;
  left(n, by);
  const [low, high] = [n.lo, n.hi];
  n.lo = lo;
  n.hi = hi;
  right(n, 64 - by);
  n.lo |= low;
  n.hi |= high;
};

/** ROR of 16 bits. */
export const ror16: Binary = (n, count) => {
  const by = count & 15;
  n.lo = ((n.lo >>> by) | (n.lo << (16 - by))) & 0xffff;
};

/** BSWAP. */
export function bswap(bits: 32 | 64): (n: Native) => void {
  return (n) => {
    const { lo, hi } = n;
    n.lo = swap32(bits === 32 ? lo : hi);
    n.hi = bits === 32 ? 0 : swap32(lo);
  };
}

/** Extends the sign of the low `from` bits to 64. */
export function signExtend(n: Native, from: 8 | 16 | 32): void {
  n.lo = (n.lo << (32 - from)) >> (32 - from);
  n.hi = n.lo >> 31;
}
