import { mulHigh, swap32 } from '../../interp/int64.ts';
import { INT_TYPES, type IntType } from './parse.ts';

/** 64 bits as two words, signed. */
export interface Pair {
  lo: number;
  hi: number;
}

/** Sets it to 64 bits. */
export function put(v: Pair, bits: bigint): void {
  v.lo = Number(BigInt.asIntN(32, bits));
  v.hi = Number(BigInt.asIntN(32, bits >> 32n));
}

/** What it is, unsigned. */
export function bitsOf({ lo, hi }: Pair): bigint {
  return (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);
}

/** `v` = (lo, hi) op `v`. */
type Combine = (v: Pair, lo: number, hi: number) => void;

/** By operator; shifts to the right and divisions depend on signs. */
export const COMBINE: ReadonlyMap<string, Combine> = new Map<string, Combine>([
  [
    '+',
    (v, lo, hi) => {
      const sum = (v.lo + lo) | 0;
      v.hi = (v.hi + hi + (sum >>> 0 < lo >>> 0 ? 1 : 0)) | 0;
      v.lo = sum;
    },
  ],
  [
    '-',
    (v, lo, hi) => {
      v.hi = (hi - v.hi - (lo >>> 0 < v.lo >>> 0 ? 1 : 0)) | 0;
      v.lo = (lo - v.lo) | 0;
    },
  ],
  [
    '*',
    (v, lo, hi) => {
      v.hi = (mulHigh(v.lo, lo) + Math.imul(v.hi, lo) + Math.imul(v.lo, hi)) | 0;
      v.lo = Math.imul(v.lo, lo);
    },
  ],
  [
    '&',
    (v, lo, hi) => {
      v.lo &= lo;
      v.hi &= hi;
    },
  ],
  [
    '|',
    (v, lo, hi) => {
      v.lo |= lo;
      v.hi |= hi;
    },
  ],
  [
    '^',
    (v, lo, hi) => {
      v.lo ^= lo;
      v.hi ^= hi;
    },
  ],
  [
    '<<',
    (v, lo, hi) => {
      const by = v.lo & 63;
      v.lo = by >= 32 ? 0 : lo << by;
      v.hi = by === 0 ? hi : by >= 32 ? lo << (by - 32) : (hi << by) | (lo >>> (32 - by));
    },
  ],
]);

/** `>>` of an unsigned value. */
export const rightUnsigned: Combine = (v, lo, hi) => {
  const by = v.lo & 63;
  v.lo = by === 0 ? lo : by >= 32 ? hi >>> (by - 32) : (lo >>> by) | (hi << (32 - by));
  v.hi = by >= 32 ? 0 : hi >>> by;
};

/** `>>` of a signed value. */
export const rightSigned: Combine = (v, lo, hi) => {
  const by = v.lo & 63;
  v.lo = by === 0 ? lo : by >= 32 ? hi >> (by - 32) : (lo >>> by) | (hi << (32 - by));
  v.hi = by >= 32 ? hi >> 31 : hi >> by;
};

/** What a comparison finds (−1: less, 0: equal, 1: greater) makes it true. */
export type Relation = (order: number) => boolean;

const ORDERS: readonly (readonly [string, Relation])[] = [
  ['<', (order) => order < 0],
  ['>', (order) => order > 0],
  ['<=', (order) => order <= 0],
  ['>=', (order) => order >= 0],
];

/** By operator; with `s` in front both sides are signed. */
export const RELATIONS: ReadonlyMap<string, Relation> = new Map([
  ['==', (order) => order === 0],
  ['!=', (order) => order !== 0],
  ...ORDERS,
  ...ORDERS.map(([op, holds]) => [`s${op}`, holds] as const),
]);

/** Cuts to a type's width and extends to 64 bits again, as `cutTo`. */
export function cutter(type: IntType): (v: Pair) => void {
  const { bits, signed, big } = INT_TYPES[type];
  if (bits === 64) return big ? swap64 : () => {};
  const unused = 32 - bits;
  return (v) => {
    if (big) v.lo = swap32(v.lo) >>> unused;
    v.lo = signed ? (v.lo << unused) >> unused : (v.lo << unused) >>> unused;
    v.lo |= 0;
    v.hi = signed ? v.lo >> 31 : 0;
  };
}

function swap64(v: Pair): void {
  const { lo } = v;
  v.lo = swap32(v.hi);
  v.hi = swap32(lo);
}
