import { STOP } from '../interp/op.ts';
import type { X86Operand } from '../jit/x86-64/decode.ts';
import { RAX, RBP, RDX, RSP } from '../jit/x86-64/registers.ts';
import type { X86Id } from '../jit/x86-64/rows.ts';
import * as a from './arithmetic.ts';
import { call, indirectJump, int3, jump, jumpIf, nop, ret } from './control.ts';
import { divide } from './division.ts';
import type { Access } from './memory.ts';
import type { NativeFunc, SlotInfo } from './native-func.ts';
import type { NativeText } from './native-text.ts';
import { type Place, placeOf, register } from './place.ts';
import { type Exec, type Native, pop, push, setReg } from './state.ts';

/** Where an instruction stands. */
export interface Site {
  readonly text: NativeText;
  readonly func: NativeFunc;
  /** Its offset in the image, and the offset behind it. */
  readonly at: number;
  readonly next: number;
  /** The BPF instruction that it belongs to; undefined in the prologue. */
  readonly info: SlotInfo | undefined;
  /** What its memory operand reaches. */
  readonly access: Access;
}

/** Makes of a decoded instruction what executes it. */
export type Build = (operands: readonly X86Operand[], site: Site) => Exec;

/** Where execution goes on when memory refuses an operand. */
function missed(n: Native, site: Site): number {
  if (!n.skip) return STOP;
  n.skip = false;
  return site.next;
}

/** `first = first op second`; `keep`: only the flags. */
function binary(op: a.Binary, keep = false): Build {
  return (operands, site) => {
    const dst = placeOf(operands[0], site.access);
    const src = placeOf(operands[1], site.access);
    return (n) => {
      if (!src.get(n)) return missed(n, site);
      const { lo, hi } = n;
      if (!dst.get(n)) return missed(n, site);
      op(n, lo, hi);
      return keep || dst.put(n, n.lo, n.hi) ? site.next : missed(n, site);
    };
  };
}

/** `first = second op third`. */
function ternary(op: a.Binary): Build {
  return (operands, site) => {
    const [dst, left, right] = [0, 1, 2].map((i) => placeOf(operands[i], site.access)) as [
      Place,
      Place,
      Place,
    ];
    return (n) => {
      right.get(n);
      const { lo, hi } = n;
      left.get(n);
      op(n, lo, hi);
      dst.put(n, n.lo, n.hi);
      return site.next;
    };
  };
}

/** `first = op(first)`. */
function unary(op: (n: Native) => void): Build {
  return (operands, site) => {
    const dst = placeOf(operands[0], site.access);
    return (n) => {
      if (!dst.get(n)) return missed(n, site);
      op(n);
      return dst.put(n, n.lo, n.hi) ? site.next : missed(n, site);
    };
  };
}

/** `first = second`, its sign extended from `signed` bits. */
function move(signed?: 8 | 16 | 32): Build {
  return (operands, site) => {
    const dst = placeOf(operands[0], site.access);
    const src = placeOf(operands[1], site.access);
    return (n) => {
      if (!src.get(n)) return missed(n, site);
      if (signed !== undefined) a.signExtend(n, signed);
      return dst.put(n, n.lo, n.hi) ? site.next : missed(n, site);
    };
  };
}

function division(bits: 32 | 64, signed: boolean): Build {
  return (operands, site) => {
    const divisor = placeOf(operands[0], site.access);
    return (n) => {
      if (!divisor.get(n)) return missed(n, site);
      divide(n, bits, signed);
      return site.next;
    };
  };
}

/** `XADD`: the old value into the second operand, the sum into the first. */
function xadd(bits: 32 | 64): Build {
  const add = a.add(bits);
  return (operands, site) => {
    const [dst, src] = [placeOf(operands[0], site.access), placeOf(operands[1], site.access)];
    return (n) => {
      if (!dst.get(n)) return missed(n, site);
      const [oldLo, oldHi] = [n.lo, n.hi];
      src.get(n);
      add(n, oldLo, oldHi);
      if (!dst.put(n, n.lo, n.hi)) return missed(n, site);
      src.put(n, oldLo, oldHi);
      return site.next;
    };
  };
}

const xchg: Build = (operands, site) => {
  const [dst, src] = [placeOf(operands[0], site.access), placeOf(operands[1], site.access)];
  return (n) => {
    if (!dst.get(n)) return missed(n, site);
    const [oldLo, oldHi] = [n.lo, n.hi];
    src.get(n);
    if (!dst.put(n, n.lo, n.hi)) return missed(n, site);
    src.put(n, oldLo, oldHi);
    return site.next;
  };
};

/** `CMPXCHG`: where they are equal the accumulator stays as it is, upper half included. */
function cmpxchg(bits: 32 | 64): Build {
  const compare = a.sub(bits);
  const accumulator = register(RAX, bits);
  return (operands, site) => {
    const [dst, src] = [placeOf(operands[0], site.access), placeOf(operands[1], site.access)];
    return (n) => {
      if (!dst.get(n)) return missed(n, site);
      const [oldLo, oldHi] = [n.lo, n.hi];
      accumulator.get(n);
      compare(n, oldLo, oldHi);
      if (n.zf) {
        src.get(n);
        return dst.put(n, n.lo, n.hi) ? site.next : missed(n, site);
      }
      accumulator.put(n, oldLo, oldHi);
      return site.next;
    };
  };
}

const cmove: Build = (operands, site) => {
  const [dst, src] = [placeOf(operands[0], site.access), placeOf(operands[1], site.access)];
  return (n) => {
    if (!src.get(n)) return missed(n, site);
    if (n.zf) dst.put(n, n.lo, n.hi);
    return site.next;
  };
};

const pushReg: Build = (operands, site) => {
  const src = placeOf(operands[0], site.access);
  return (n) => {
    src.get(n);
    push(n, n.lo, n.hi);
    return site.next;
  };
};

const popReg: Build = (operands, site) => {
  const dst = placeOf(operands[0], site.access);
  return (n) => {
    pop(n);
    dst.put(n, n.lo, n.hi);
    return site.next;
  };
};

const leave: Build = (_, site) => (n) => {
  setReg(n, RSP, n.regs[RBP * 2] ?? 0, n.regs[RBP * 2 + 1] ?? 0);
  pop(n);
  setReg(n, RBP, n.lo, n.hi);
  return site.next;
};

/** `CDQ`, `CQO`: rdx takes the sign of rax. */
function signIntoRdx(bits: 32 | 64): Build {
  return (_, site) => (n) => {
    const sign = (n.regs[RAX * 2 + (bits === 64 ? 1 : 0)] ?? 0) >> 31;
    setReg(n, RDX, sign, bits === 64 ? sign : 0);
    return site.next;
  };
}

const nothing: Build = (_, site) => () => site.next;

const OR = (bits: 32 | 64): a.Binary => a.bitwise(bits, (x, y) => x | y);
const AND = (bits: 32 | 64): a.Binary => a.bitwise(bits, (x, y) => x & y);
const XOR = (bits: 32 | 64): a.Binary => a.bitwise(bits, (x, y) => x ^ y);
const [add32, add64] = [binary(a.add(32)), binary(a.add(64))];
const [or32, or64] = [binary(OR(32)), binary(OR(64))];
const [and32, and64] = [binary(AND(32)), binary(AND(64))];
const [sub32, sub64] = [binary(a.sub(32)), binary(a.sub(64))];
const [xor32, xor64] = [binary(XOR(32)), binary(XOR(64))];
const [cmp32, cmp64] = [binary(a.sub(32), true), binary(a.sub(64), true)];
const [test32, test64] = [binary(AND(32), true), binary(AND(64), true)];
const [shl32, shl64] = [binary(a.shl(32, true)), binary(a.shl(64, true))];
const [shr32, shr64] = [binary(a.shr(32, true)), binary(a.shr(64, true))];
const [sar32, sar64] = [binary(a.sar(32, true)), binary(a.sar(64, true))];

/** Conditions of jumps by what is behind the `j` (SDM volume 1, table B-1). */
const below = jumpIf((n) => n.cf);
const aboveOrEqual = jumpIf((n) => !n.cf);
const equal = jumpIf((n) => n.zf);
const notEqual = jumpIf((n) => !n.zf);
const belowOrEqual = jumpIf((n) => n.cf || n.zf);
const above = jumpIf((n) => !n.cf && !n.zf);
const less = jumpIf((n) => n.sf !== n.of);
const greaterOrEqual = jumpIf((n) => n.sf === n.of);
const lessOrEqual = jumpIf((n) => n.zf || n.sf !== n.of);
const greater = jumpIf((n) => !n.zf && n.sf === n.of);

/** What each instruction does: a total map over the rows, so that one without a meaning does not compile. */
// biome-ignore format: a table
export const BUILD: Readonly<Record<X86Id, Build>> = {
  add_rm32_r32: add32, add_rm64_r64: add64, add_eax_imm32: add32, add_rax_imm32: add64,
  add_rm32_imm8: add32, add_rm64_imm8: add64, add_rm32_imm32: add32, add_rm64_imm32: add64, add_r64_gs_m64: add64,
  or_rm32_r32: or32, or_rm64_r64: or64, or_eax_imm32: or32, or_rax_imm32: or64,
  or_rm32_imm8: or32, or_rm64_imm8: or64, or_rm32_imm32: or32, or_rm64_imm32: or64,
  and_rm32_r32: and32, and_rm64_r64: and64, and_eax_imm32: and32, and_rax_imm32: and64,
  and_rm32_imm8: and32, and_rm64_imm8: and64, and_rm32_imm32: and32, and_rm64_imm32: and64,
  sub_rm32_r32: sub32, sub_rm64_r64: sub64, sub_eax_imm32: sub32, sub_rax_imm32: sub64,
  sub_rm32_imm8: sub32, sub_rm64_imm8: sub64, sub_rm32_imm32: sub32, sub_rm64_imm32: sub64,
  xor_rm32_r32: xor32, xor_rm64_r64: xor64, xor_eax_imm32: xor32, xor_rax_imm32: xor64,
  xor_rm32_imm8: xor32, xor_rm64_imm8: xor64, xor_rm32_imm32: xor32, xor_rm64_imm32: xor64,
  cmp_rm32_r32: cmp32, cmp_rm64_r64: cmp64, cmp_rm32_imm8: cmp32, cmp_rm64_imm8: cmp64,
  cmp_rm32_imm32: cmp32, cmp_rm64_imm32: cmp64,
  test_rm32_r32: test32, test_rm64_r64: test64, test_rm32_imm32: test32, test_rm64_imm32: test64,
  neg_rm32: unary(a.neg(32)), neg_rm64: unary(a.neg(64)),
  imul_r32_rm32: binary(a.imul), imul_r64_rm64: binary(a.imul),
  imul_r32_rm32_imm8: ternary(a.imul), imul_r64_rm64_imm8: ternary(a.imul),
  imul_r32_rm32_imm32: ternary(a.imul), imul_r64_rm64_imm32: ternary(a.imul),
  div_rm32: division(32, false), div_rm64: division(64, false),
  idiv_rm32: division(32, true), idiv_rm64: division(64, true),
  cdq: signIntoRdx(32), cqo: signIntoRdx(64),
  shl_rm32_imm8: shl32, shl_rm64_imm8: shl64, shl_rm32_1: shl32, shl_rm64_1: shl64, shl_rm32_cl: shl32, shl_rm64_cl: shl64,
  shr_rm32_imm8: shr32, shr_rm64_imm8: shr64, shr_rm32_1: shr32, shr_rm64_1: shr64, shr_rm32_cl: shr32, shr_rm64_cl: shr64,
  sar_rm32_imm8: sar32, sar_rm64_imm8: sar64, sar_rm32_1: sar32, sar_rm64_1: sar64, sar_rm32_cl: sar32, sar_rm64_cl: sar64,
  shlx_r32_rm32_r32: ternary(a.shl(32, false)), shlx_r64_rm64_r64: ternary(a.shl(64, false)),
  shrx_r32_rm32_r32: ternary(a.shr(32, false)), shrx_r64_rm64_r64: ternary(a.shr(64, false)),
  sarx_r32_rm32_r32: ternary(a.sar(32, false)), sarx_r64_rm64_r64: ternary(a.sar(64, false)),
  ror_rm16_imm8: binary(a.ror16), rol_rm64_imm8: binary(a.rol64),
  bswap_r32: unary(a.bswap(32)), bswap_r64: unary(a.bswap(64)),
  mov_rm8_r8: move(), mov_rm16_r16: move(), mov_rm32_r32: move(), mov_rm64_r64: move(),
  mov_r32_rm32: move(), mov_r64_rm64: move(),
  mov_rm8_imm8: move(), mov_rm16_imm16: move(), mov_rm32_imm32: move(), mov_rm64_imm32: move(),
  mov_r32_imm32: move(), mov_r64_imm64: move(),
  movzx_r32_rm8: move(), movzx_r32_rm16: move(), movzx_r64_rm8: move(), movzx_r64_rm16: move(),
  movsx_r32_rm8: move(8), movsx_r32_rm16: move(16), movsx_r64_rm8: move(8), movsx_r64_rm16: move(16),
  movsxd_r64_rm32: move(32), cmove_r64_rm64: cmove,
  push_r64: pushReg, pop_r64: popReg, leave,
  lock_add_m32_r32: add32, lock_add_m64_r64: add64, lock_or_m32_r32: or32, lock_or_m64_r64: or64,
  lock_and_m32_r32: and32, lock_and_m64_r64: and64, lock_xor_m32_r32: xor32, lock_xor_m64_r64: xor64,
  lock_xadd_m32_r32: xadd(32), lock_xadd_m64_r64: xadd(64), lock_xchg_m32_r32: xchg, lock_xchg_m64_r64: xchg,
  lock_cmpxchg_m32_r32: cmpxchg(32), lock_cmpxchg_m64_r64: cmpxchg(64),
  jb_rel8: below, jae_rel8: aboveOrEqual, je_rel8: equal, jne_rel8: notEqual, jbe_rel8: belowOrEqual,
  ja_rel8: above, jl_rel8: less, jge_rel8: greaterOrEqual, jle_rel8: lessOrEqual, jg_rel8: greater,
  jb_rel32: below, jae_rel32: aboveOrEqual, je_rel32: equal, jne_rel32: notEqual, jbe_rel32: belowOrEqual,
  ja_rel32: above, jl_rel32: less, jge_rel32: greaterOrEqual, jle_rel32: lessOrEqual, jg_rel32: greater,
  jmp_rel8: jump, jmp_rel32: jump, jmp_rm64: indirectJump, call_rel32: call, ret: ret,
  int3, lfence: nothing, endbr64: nothing, nop, nop66: nothing, nop_rm32: nop, nop_rm16: nop,
};
