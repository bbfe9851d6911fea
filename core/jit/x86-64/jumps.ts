import { isImm8 } from './assembler.ts';
import { type Emission, type Lower, type Slot, X86Refusal } from './emission.ts';
import { FORMS as F } from './forms.ts';
import { nop } from './nops.ts';
import type { Form } from './row.ts';

/** The two lengths of a jump. */
export interface JumpForms {
  readonly short: Form;
  readonly near: Form;
}

/** Conditional jumps by the condition of RFC 9669 that they serve. */
export const CONDITIONS = {
  eq: { short: F.je_rel8, near: F.je_rel32 },
  ne: { short: F.jne_rel8, near: F.jne_rel32 },
  gt: { short: F.ja_rel8, near: F.ja_rel32 },
  ge: { short: F.jae_rel8, near: F.jae_rel32 },
  lt: { short: F.jb_rel8, near: F.jb_rel32 },
  le: { short: F.jbe_rel8, near: F.jbe_rel32 },
  sgt: { short: F.jg_rel8, near: F.jg_rel32 },
  sge: { short: F.jge_rel8, near: F.jge_rel32 },
  slt: { short: F.jl_rel8, near: F.jl_rel32 },
  sle: { short: F.jle_rel8, near: F.jle_rel32 },
  set: { short: F.jne_rel8, near: F.jne_rel32 },
} as const satisfies Record<string, JumpForms>;

/** Bytes of a short jump. */
const SHORT = 2;
const JMP: JumpForms = { short: F.jmp_rel8, near: F.jmp_rel32 };

/**
 * Farthest forward distance that gets the short form. Measured from the end of the long form: shortened, the
 * jump ends four bytes earlier, and the distance must fit in a byte then as well.
 */
const MAX_SHORT = 123;

/** Comparison of two registers, then the jump. */
export function compareReg(compare: Form, jump: JumpForms): Lower {
  return (out, slot) => {
    out.asm.rr(compare, slot.dst, slot.src);
    branch(out, slot, jump);
  };
}

/** Forms of a comparison with a constant. */
interface CompareForms {
  /** Of a register with itself, for 0. */
  readonly test: Form;
  readonly imm8: Form;
  readonly imm32: Form;
}

/** Comparison with a constant, then the jump. */
export function compareImm({ test, imm8, imm32 }: CompareForms, jump: JumpForms): Lower {
  return (out, slot) => {
    const { dst, imm } = slot;
    if (imm === 0) out.asm.rr(test, dst, dst);
    else out.asm.ri(isImm8(imm) ? imm8 : imm32, dst, imm);
    branch(out, slot, jump);
  };
}

/** `if dst & imm`. */
export function testImm(form: Form): Lower {
  return (out, slot) => {
    out.asm.ri(form, slot.dst, slot.imm);
    branch(out, slot, CONDITIONS.set);
  };
}

/** `goto` with the distance in `off`, or in `imm`. */
export function goto(field: 'off' | 'imm'): Lower {
  return (out, slot) => {
    const distance = distanceTo(out, slot, slot[field]);
    if (distance === 0) pad(out, slot, 0);
    else jumpOver(out, slot, JMP, distance);
  };
}

/** Jumps to the epilogue that the first `exit` wrote. */
export function jumpToEpilogue(out: Emission, slot: Slot): void {
  jumpOver(out, slot, JMP, out.epilogueAt - (out.ends[slot.index + 1] ?? 0));
}

function branch(out: Emission, slot: Slot, forms: JumpForms): void {
  jumpOver(out, slot, forms, distanceTo(out, slot, slot.off));
}

/** Distance in bytes to the slot `by` slots behind the next one, in what is known of lengths so far. */
function distanceTo({ ends, frame }: Emission, { index }: Slot, by: number): number {
  const target = index + 1 + by;
  if (target < 0 || target >= frame.length) {
    throw new X86Refusal(
      `the jump leads out of its function, to slot ${frame.start + target}`,
      frame.start + index,
    );
  }
  return (ends[target] ?? 0) - (ends[index + 1] ?? 0);
}

function jumpOver(out: Emission, slot: Slot, forms: JumpForms, distance: number): void {
  if (distance >= -128 && distance <= MAX_SHORT) {
    pad(out, slot, SHORT);
    out.asm.rel(forms.short, distance);
  } else out.asm.rel(forms.near, distance);
}

/**
 * Once a function has to converge: a `nop` in front of a jump that could be shorter than in the last pass, of
 * which `rest` bytes are still to be written.
 */
function pad({ asm, ends, padding }: Emission, { index }: Slot, rest: number): void {
  if (!padding) return;
  const missing = (ends[index + 1] ?? 0) - asm.pos - rest;
  if (missing > 0) nop(asm, missing);
}
