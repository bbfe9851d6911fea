import type { Assembler } from './assembler.ts';
import { isImm8 } from './assembler.ts';
import type { Lower } from './emission.ts';
import { FORMS as F } from './forms.ts';
import { R11, RAX, RCX, RDX, type Reg } from './registers.ts';
import type { Form } from './row.ts';

/** The five forms of an operation on registers and immediates. */
interface AluForms {
  readonly reg: Form;
  readonly imm8: Form;
  readonly imm32: Form;
  /** The accumulator's form without ModRM byte. */
  readonly acc: Form;
}

/** `dst op= src`. */
export function aluReg({ reg }: AluForms): Lower {
  return (out, { dst, src }) => out.asm.rr(reg, dst, src);
}

/** `dst op= imm`: a byte where the number fits in it, the accumulator's short form for R0. */
export function aluImm(forms: AluForms): Lower {
  return ({ asm }, { dst, imm }) => {
    if (isImm8(imm)) asm.ri(forms.imm8, dst, imm);
    else asm.ri(dst === RAX ? forms.acc : forms.imm32, dst, imm);
  };
}

/** Forms of the five operations, 64 and 32 bits. */
export const ALU = {
  add64: { reg: F.add_rm64_r64, imm8: F.add_rm64_imm8, imm32: F.add_rm64_imm32, acc: F.add_rax_imm32 },
  add32: { reg: F.add_rm32_r32, imm8: F.add_rm32_imm8, imm32: F.add_rm32_imm32, acc: F.add_eax_imm32 },
  sub64: { reg: F.sub_rm64_r64, imm8: F.sub_rm64_imm8, imm32: F.sub_rm64_imm32, acc: F.sub_rax_imm32 },
  sub32: { reg: F.sub_rm32_r32, imm8: F.sub_rm32_imm8, imm32: F.sub_rm32_imm32, acc: F.sub_eax_imm32 },
  or64: { reg: F.or_rm64_r64, imm8: F.or_rm64_imm8, imm32: F.or_rm64_imm32, acc: F.or_rax_imm32 },
  or32: { reg: F.or_rm32_r32, imm8: F.or_rm32_imm8, imm32: F.or_rm32_imm32, acc: F.or_eax_imm32 },
  and64: { reg: F.and_rm64_r64, imm8: F.and_rm64_imm8, imm32: F.and_rm64_imm32, acc: F.and_rax_imm32 },
  and32: { reg: F.and_rm32_r32, imm8: F.and_rm32_imm8, imm32: F.and_rm32_imm32, acc: F.and_eax_imm32 },
  xor64: { reg: F.xor_rm64_r64, imm8: F.xor_rm64_imm8, imm32: F.xor_rm64_imm32, acc: F.xor_rax_imm32 },
  xor32: { reg: F.xor_rm32_r32, imm8: F.xor_rm32_imm8, imm32: F.xor_rm32_imm32, acc: F.xor_eax_imm32 },
} as const satisfies Record<string, AluForms>;

/** `dst = imm`, the upper half zero: `xor` for 0. */
export function movImm32(asm: Assembler, dst: Reg, imm: number): void {
  if (imm === 0) asm.rr(F.xor_rm32_r32, dst, dst);
  else asm.ri(F.mov_r32_imm32, dst, imm);
}

/** `dst = imm`, sign-extended to 64 bits. */
export function movSigned(asm: Assembler, dst: Reg, imm: number): void {
  if (imm < 0) asm.ri(F.mov_rm64_imm32, dst, imm);
  else movImm32(asm, dst, imm);
}

/** `dst` = a 64-bit number in halves (signed 32 bits each), in the shortest form. */
export function movImm64(asm: Assembler, dst: Reg, lo: number, hi: number): void {
  if (hi === 0) movImm32(asm, dst, lo);
  else if (hi === -1 && lo < 0) asm.ri(F.mov_rm64_imm32, dst, lo);
  else asm.ri64(F.mov_r64_imm64, dst, lo, hi);
}

/** `dst = src`, nothing when they are the same. */
export function mov64(asm: Assembler, dst: Reg, src: Reg): void {
  if (dst !== src) asm.rr(F.mov_rm64_r64, dst, src);
}

/** `dst *= imm`. */
export function mulImm(imm8: Form, imm32: Form): Lower {
  return ({ asm }, { dst, imm }) => asm.rri(isImm8(imm) ? imm8 : imm32, dst, dst, imm);
}

/** `dst *= src`. */
export function mulReg(form: Form): Lower {
  return ({ asm }, { dst, src }) => asm.rr(form, dst, src);
}

/** One register: negation, byte swap. */
export function unary(form: Form): Lower {
  return ({ asm }, { dst }) => asm.r(form, dst);
}

/** `dst = convert(src)`: moves and extensions. */
export function move(form: Form): Lower {
  return ({ asm }, { dst, src }) => asm.rr(form, dst, src);
}

/** `dst = convert(dst)`. */
export function moveSelf(form: Form): Lower {
  return ({ asm }, { dst }) => asm.rr(form, dst, dst);
}

/** The low 16 bits with their bytes reversed. */
export const swap16: Lower = ({ asm }, { dst }) => {
  asm.ri(F.ror_rm16_imm8, dst, 8);
  asm.rr(F.movzx_r32_rm16, dst, dst);
};

/** Nothing to do (64 bits to little endian). */
export const nothing: Lower = () => {};

/** Shift by a constant: one bit has a form of its own. */
export function shiftImm(one: Form, imm8: Form): Lower {
  return ({ asm }, { dst, imm }) => {
    if (imm === 1) asm.r(one, dst);
    else asm.ri(imm8, dst, imm);
  };
}

/**
 * Shift by a register: by CL when the count is there, else the three-operand instruction of BMI2. A CPU
 * without it gets the count into rcx, and rcx back afterwards; `mov` is as wide as the registers.
 */
export function shiftReg(byCl: Form, bmi2: Form): Lower {
  return ({ asm, frame }, { dst, src }) => {
    if (src === RCX) asm.r(byCl, dst);
    else if (frame.config.bmi2) asm.rrr(bmi2, dst, dst, src);
    else if (dst === RCX) {
      asm.rr(F.mov_rm64_r64, R11, dst);
      asm.rr(F.mov_rm64_r64, RCX, src);
      asm.r(byCl, R11);
      asm.rr(F.mov_rm64_r64, dst, R11);
    } else {
      asm.r(F.push_r64, RCX);
      asm.rr(F.mov_rm64_r64, RCX, src);
      asm.r(byCl, dst);
      asm.r(F.pop_r64, RCX);
    }
  };
}

/** What `DIV` and `MOD` are made of. */
interface DivForms {
  readonly move: Form;
  readonly divide: Form;
  /** Sign extension into rdx; undefined: rdx becomes 0. */
  readonly extend: Form | undefined;
  /** The quotient is wanted, or the remainder. */
  readonly result: 'quotient' | 'remainder';
  readonly divisor: 'imm' | 'src';
}

/** Division: rax and rdx are saved unless they are the destination, r11 holds a constant divisor. */
export function divide(forms: DivForms): Lower {
  const result = forms.result === 'quotient' ? RAX : RDX;
  return ({ asm }, { dst, src, imm }) => {
    if (dst !== RAX) asm.r(F.push_r64, RAX);
    if (dst !== RDX) asm.r(F.push_r64, RDX);
    const divisor = divisorOf(asm, forms, src, imm);
    if (dst !== RAX) asm.rr(forms.move, RAX, dst);
    if (forms.extend === undefined) asm.rr(F.xor_rm32_r32, RDX, RDX);
    else asm.zo(forms.extend);
    asm.r(forms.divide, divisor);
    if (dst !== result) asm.rr(forms.move, dst, result);
    if (dst !== RDX) asm.r(F.pop_r64, RDX);
    if (dst !== RAX) asm.r(F.pop_r64, RAX);
  };
}

/** The register of the divisor: r11 when it is a constant or in a register that division overwrites. */
function divisorOf(asm: Assembler, forms: DivForms, src: Reg, imm: number): Reg {
  if (forms.divisor === 'imm') {
    asm.ri(F.mov_rm64_imm32, R11, imm);
    return R11;
  }
  if (src !== RAX && src !== RDX) return src;
  asm.rr(F.mov_rm64_r64, R11, src);
  return R11;
}
