import type { InsnId } from '../isa/table.ts';
import { swap16, swap32 } from './int64.ts';
import { type ExecState, type Handler, hi, lo, type Op, set, set32 } from './op.ts';

/** Writes a 32-bit result, upper half zeroed, and goes on. */
function put(s: ExecState, op: Op, value: number): number {
  set32(s, op.dst, value);
  return op.next;
}

/** Unsigned: by zero gives 0. */
function div(a: number, b: number): number {
  return b === 0 ? 0 : ((a >>> 0) / (b >>> 0)) | 0;
}

/** Unsigned: by zero gives the dividend. */
function mod(a: number, b: number): number {
  return b === 0 ? a : ((a >>> 0) % (b >>> 0)) | 0;
}

/** Signed, towards zero: by zero gives 0; the least number by −1 gives itself. */
function sdiv(a: number, b: number): number {
  return b === 0 ? 0 : (a / b) | 0;
}

/** Signed, the sign of the dividend: by zero gives the dividend. */
function smod(a: number, b: number): number {
  return b === 0 ? a : (a % b) | 0;
}

/** 32-bit arithmetic (BPF_ALU) and all byte swaps. The host is little endian, as the machine is. */
export const ALU32 = {
  add32_imm: (s, op) => put(s, op, (lo(s, op.dst) + op.imm) | 0),
  add32_reg: (s, op) => put(s, op, (lo(s, op.dst) + lo(s, op.src)) | 0),
  sub32_imm: (s, op) => put(s, op, (lo(s, op.dst) - op.imm) | 0),
  sub32_reg: (s, op) => put(s, op, (lo(s, op.dst) - lo(s, op.src)) | 0),
  mul32_imm: (s, op) => put(s, op, Math.imul(lo(s, op.dst), op.imm)),
  mul32_reg: (s, op) => put(s, op, Math.imul(lo(s, op.dst), lo(s, op.src))),
  div32_imm: (s, op) => put(s, op, div(lo(s, op.dst), op.imm)),
  div32_reg: (s, op) => put(s, op, div(lo(s, op.dst), lo(s, op.src))),
  mod32_imm: (s, op) => put(s, op, mod(lo(s, op.dst), op.imm)),
  mod32_reg: (s, op) => put(s, op, mod(lo(s, op.dst), lo(s, op.src))),
  sdiv32_imm: (s, op) => put(s, op, sdiv(lo(s, op.dst), op.imm)),
  sdiv32_reg: (s, op) => put(s, op, sdiv(lo(s, op.dst), lo(s, op.src))),
  smod32_imm: (s, op) => put(s, op, smod(lo(s, op.dst), op.imm)),
  smod32_reg: (s, op) => put(s, op, smod(lo(s, op.dst), lo(s, op.src))),
  or32_imm: (s, op) => put(s, op, lo(s, op.dst) | op.imm),
  or32_reg: (s, op) => put(s, op, lo(s, op.dst) | lo(s, op.src)),
  and32_imm: (s, op) => put(s, op, lo(s, op.dst) & op.imm),
  and32_reg: (s, op) => put(s, op, lo(s, op.dst) & lo(s, op.src)),
  xor32_imm: (s, op) => put(s, op, lo(s, op.dst) ^ op.imm),
  xor32_reg: (s, op) => put(s, op, lo(s, op.dst) ^ lo(s, op.src)),
  // JavaScript's shifts use the low five bits of the count, as BPF's do.
  lsh32_imm: (s, op) => put(s, op, lo(s, op.dst) << op.imm),
  lsh32_reg: (s, op) => put(s, op, lo(s, op.dst) << lo(s, op.src)),
  rsh32_imm: (s, op) => put(s, op, lo(s, op.dst) >>> op.imm),
  rsh32_reg: (s, op) => put(s, op, lo(s, op.dst) >>> lo(s, op.src)),
  arsh32_imm: (s, op) => put(s, op, lo(s, op.dst) >> op.imm),
  arsh32_reg: (s, op) => put(s, op, lo(s, op.dst) >> lo(s, op.src)),
  neg32: (s, op) => put(s, op, -lo(s, op.dst) | 0),
  mov32_imm: (s, op) => put(s, op, op.imm),
  mov32_reg: (s, op) => put(s, op, lo(s, op.src)),
  mov32_zext: (s, op) => put(s, op, lo(s, op.src)),
  movsx8_32: (s, op) => put(s, op, (lo(s, op.src) << 24) >> 24),
  movsx16_32: (s, op) => put(s, op, (lo(s, op.src) << 16) >> 16),
  le16: (s, op) => put(s, op, lo(s, op.dst) & 0xffff),
  le32: (s, op) => put(s, op, lo(s, op.dst)),
  le64: (_, op) => op.next,
  be16: (s, op) => put(s, op, swap16(lo(s, op.dst))),
  be32: (s, op) => put(s, op, swap32(lo(s, op.dst))),
  be64: (s, op) => swap64(s, op),
  bswap16: (s, op) => put(s, op, swap16(lo(s, op.dst))),
  bswap32: (s, op) => put(s, op, swap32(lo(s, op.dst))),
  bswap64: (s, op) => swap64(s, op),
} satisfies Partial<Record<InsnId, Handler>>;

function swap64(s: ExecState, op: Op): number {
  set(s, op.dst, swap32(hi(s, op.dst)), swap32(lo(s, op.dst)));
  return op.next;
}
