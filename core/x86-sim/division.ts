import { RAX, RDX } from '../jit/x86-64/registers.ts';
import type { Native } from './state.ts';

/**
 * DIV and IDIV: rdx:rax by the value in `n` (SDM volume 2). BigInt, because the dividend has up to 128 bits.
 *
 * Where the processor raises #DE the results are those of RFC 9669, as in all engines: the quotient is 0, or on
 * overflow the dividend, the remainder the dividend, or 0. The kernel never comes to it: its verifier refuses a
 * constant divisor of 0 and puts comparisons in front of the others.
 */
export function divide(n: Native, bits: 32 | 64, signed: boolean): void {
  const cut = signed ? BigInt.asIntN : BigInt.asUintN;
  const divisor = cut(bits, pair(n.lo, n.hi));
  const low = registerValue(n, RAX, bits);
  const dividend = cut(bits * 2, (registerValue(n, RDX, bits) << BigInt(bits)) | low);
  write(n, RAX, divisor === 0n ? 0n : dividend / divisor, bits);
  write(n, RDX, divisor === 0n ? dividend : dividend % divisor, bits);
}

function pair(lo: number, hi: number): bigint {
  return (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);
}

function registerValue(n: Native, reg: number, bits: 32 | 64): bigint {
  return pair(n.regs[reg * 2] ?? 0, bits === 32 ? 0 : (n.regs[reg * 2 + 1] ?? 0));
}

function write(n: Native, reg: number, value: bigint, bits: 32 | 64): void {
  n.regs[reg * 2] = Number(BigInt.asIntN(32, value));
  n.regs[reg * 2 + 1] = bits === 32 ? 0 : Number(BigInt.asIntN(32, value >> 32n));
}
