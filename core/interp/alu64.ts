import type { InsnId } from '../isa/table.ts';
import { CPU_THIS_CPU_OFF_HI } from '../vm/layout.ts';
import { mulHigh } from './int64.ts';
import { type ExecState, type Handler, hi, lo, type Op, set } from './op.ts';

type Alu = (s: ExecState, dst: number, low: number, high: number) => void;

function add(s: ExecState, dst: number, low: number, high: number): void {
  const before = lo(s, dst);
  const sum = (before + low) | 0;
  const carry = sum >>> 0 < before >>> 0 ? 1 : 0;
  set(s, dst, sum, (hi(s, dst) + high + carry) | 0);
}

function sub(s: ExecState, dst: number, low: number, high: number): void {
  const before = lo(s, dst);
  const borrow = before >>> 0 < low >>> 0 ? 1 : 0;
  set(s, dst, (before - low) | 0, (hi(s, dst) - high - borrow) | 0);
}

function mul(s: ExecState, dst: number, low: number, high: number): void {
  const a = lo(s, dst);
  const cross = (Math.imul(hi(s, dst), low) + Math.imul(a, high)) | 0;
  set(s, dst, Math.imul(a, low), (mulHigh(a, low) + cross) | 0);
}

function lsh(s: ExecState, dst: number, count: number): void {
  const n = count & 63;
  const low = lo(s, dst);
  if (n >= 32) set(s, dst, 0, low << (n - 32));
  else if (n > 0) set(s, dst, low << n, (hi(s, dst) << n) | (low >>> (32 - n)));
}

function rsh(s: ExecState, dst: number, count: number): void {
  const n = count & 63;
  const high = hi(s, dst);
  if (n >= 32) set(s, dst, high >>> (n - 32), 0);
  else if (n > 0) set(s, dst, (lo(s, dst) >>> n) | (high << (32 - n)), high >>> n);
}

function arsh(s: ExecState, dst: number, count: number): void {
  const n = count & 63;
  const high = hi(s, dst);
  if (n >= 32) set(s, dst, high >> (n - 32), high >> 31);
  else if (n > 0) set(s, dst, (lo(s, dst) >>> n) | (high << (32 - n)), high >> n);
}

/** Unsigned: by zero gives 0 (RFC 9669 section 4.1). */
const div: Alu = (s, dst, low, high) => {
  if ((low | high) === 0) set(s, dst, 0, 0);
  else if ((high | hi(s, dst)) === 0) set(s, dst, ((lo(s, dst) >>> 0) / (low >>> 0)) | 0, 0);
  else setBig(s, dst, big(s, dst) / unsigned(low, high));
};

/** Unsigned: by zero leaves dst as it is. */
const mod: Alu = (s, dst, low, high) => {
  if ((low | high) === 0) return;
  if ((high | hi(s, dst)) === 0) set(s, dst, ((lo(s, dst) >>> 0) % (low >>> 0)) | 0, 0);
  else setBig(s, dst, big(s, dst) % unsigned(low, high));
};

/** Signed, towards zero: by zero gives 0; the least number by −1 gives itself. */
const sdiv: Alu = (s, dst, low, high) => {
  if ((low | high) === 0) set(s, dst, 0, 0);
  else setBig(s, dst, BigInt.asIntN(64, big(s, dst)) / BigInt.asIntN(64, unsigned(low, high)));
};

/** Signed, the sign of the dividend: by zero leaves dst as it is; by −1 gives 0. */
const smod: Alu = (s, dst, low, high) => {
  if ((low | high) === 0) return;
  setBig(s, dst, BigInt.asIntN(64, big(s, dst)) % BigInt.asIntN(64, unsigned(low, high)));
};

function big(s: ExecState, reg: number): bigint {
  return s.view.getBigUint64(s.block + reg, true);
}

function setBig(s: ExecState, reg: number, value: bigint): void {
  s.view.setBigUint64(s.block + reg, BigInt.asUintN(64, value), true);
}

function unsigned(low: number, high: number): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}

/** 64-bit arithmetic: BPF_ALU64 without byte swaps, and wide numbers. */
export const ALU64 = {
  add64_imm: (s, op) => {
    add(s, op.dst, op.imm, op.immHi);
    return op.next;
  },
  add64_reg: (s, op) => {
    add(s, op.dst, lo(s, op.src), hi(s, op.src));
    return op.next;
  },
  sub64_imm: (s, op) => {
    sub(s, op.dst, op.imm, op.immHi);
    return op.next;
  },
  sub64_reg: (s, op) => {
    sub(s, op.dst, lo(s, op.src), hi(s, op.src));
    return op.next;
  },
  mul64_imm: (s, op) => {
    mul(s, op.dst, op.imm, op.immHi);
    return op.next;
  },
  mul64_reg: (s, op) => {
    mul(s, op.dst, lo(s, op.src), hi(s, op.src));
    return op.next;
  },
  div64_imm: (s, op) => {
    div(s, op.dst, op.imm, op.immHi);
    return op.next;
  },
  div64_reg: (s, op) => {
    div(s, op.dst, lo(s, op.src), hi(s, op.src));
    return op.next;
  },
  mod64_imm: (s, op) => {
    mod(s, op.dst, op.imm, op.immHi);
    return op.next;
  },
  mod64_reg: (s, op) => {
    mod(s, op.dst, lo(s, op.src), hi(s, op.src));
    return op.next;
  },
  sdiv64_imm: (s, op) => {
    sdiv(s, op.dst, op.imm, op.immHi);
    return op.next;
  },
  sdiv64_reg: (s, op) => {
    sdiv(s, op.dst, lo(s, op.src), hi(s, op.src));
    return op.next;
  },
  smod64_imm: (s, op) => {
    smod(s, op.dst, op.imm, op.immHi);
    return op.next;
  },
  smod64_reg: (s, op) => {
    smod(s, op.dst, lo(s, op.src), hi(s, op.src));
    return op.next;
  },
  or64_imm: (s, op) => {
    set(s, op.dst, lo(s, op.dst) | op.imm, hi(s, op.dst) | op.immHi);
    return op.next;
  },
  or64_reg: (s, op) => {
    set(s, op.dst, lo(s, op.dst) | lo(s, op.src), hi(s, op.dst) | hi(s, op.src));
    return op.next;
  },
  and64_imm: (s, op) => {
    set(s, op.dst, lo(s, op.dst) & op.imm, hi(s, op.dst) & op.immHi);
    return op.next;
  },
  and64_reg: (s, op) => {
    set(s, op.dst, lo(s, op.dst) & lo(s, op.src), hi(s, op.dst) & hi(s, op.src));
    return op.next;
  },
  xor64_imm: (s, op) => {
    set(s, op.dst, lo(s, op.dst) ^ op.imm, hi(s, op.dst) ^ op.immHi);
    return op.next;
  },
  xor64_reg: (s, op) => {
    set(s, op.dst, lo(s, op.dst) ^ lo(s, op.src), hi(s, op.dst) ^ hi(s, op.src));
    return op.next;
  },
  lsh64_imm: (s, op) => {
    lsh(s, op.dst, op.imm);
    return op.next;
  },
  lsh64_reg: (s, op) => {
    lsh(s, op.dst, lo(s, op.src));
    return op.next;
  },
  rsh64_imm: (s, op) => {
    rsh(s, op.dst, op.imm);
    return op.next;
  },
  rsh64_reg: (s, op) => {
    rsh(s, op.dst, lo(s, op.src));
    return op.next;
  },
  arsh64_imm: (s, op) => {
    arsh(s, op.dst, op.imm);
    return op.next;
  },
  arsh64_reg: (s, op) => {
    arsh(s, op.dst, lo(s, op.src));
    return op.next;
  },
  neg64: (s, op) => {
    const low = lo(s, op.dst);
    set(s, op.dst, -low | 0, low === 0 ? -hi(s, op.dst) | 0 : ~hi(s, op.dst));
    return op.next;
  },
  mov64_imm: (s, op) => {
    set(s, op.dst, op.imm, op.immHi);
    return op.next;
  },
  mov64_reg: (s, op) => {
    set(s, op.dst, lo(s, op.src), hi(s, op.src));
    return op.next;
  },
  movsx8_64: (s, op) => setSigned(s, op, (lo(s, op.src) << 24) >> 24),
  movsx16_64: (s, op) => setSigned(s, op, (lo(s, op.src) << 16) >> 16),
  movsx32_64: (s, op) => setSigned(s, op, lo(s, op.src)),
  // Each CPU's copy of a per-CPU object lies in a window of its own: the low word of the offset is 0.
  mov64_percpu: (s, op) => {
    const off = s.view.getInt32(s.block + CPU_THIS_CPU_OFF_HI, true);
    set(s, op.dst, lo(s, op.src), (hi(s, op.src) + off) | 0);
    return op.next;
  },
  // Arena pointers are 32 bits in both address spaces here: no user mapping has upper bits to add.
  addr_space_cast: (s, op) => {
    set(s, op.dst, lo(s, op.src), 0);
    return op.next;
  },
} satisfies Partial<Record<InsnId, Handler>>;

function setSigned(s: ExecState, op: Op, value: number): number {
  set(s, op.dst, value, value >> 31);
  return op.next;
}
