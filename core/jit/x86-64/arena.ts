import { isImm8 } from './assembler.ts';
import { type Lower, X86Refusal } from './emission.ts';
import { FORMS as F } from './forms.ts';
import { R11, R12, RAX, type Reg } from './registers.ts';
import type { Form } from './row.ts';

/** `dst = *(arena + src + off)`. */
export function arenaLoad(form: Form): Lower {
  return ({ asm }, { dst, src, off }) => asm.rm(form, dst, arenaMem(src, off));
}

/** `*(arena + dst + off) = src`, atomics too. */
export function arenaStore(form: Form): Lower {
  return ({ asm }, { dst, src, off }) => asm.rm(form, src, arenaMem(dst, off));
}

/** `*(arena + dst + off) = imm`. */
export function arenaStoreImm(form: Form): Lower {
  return ({ asm }, { dst, off, imm }) => asm.mi(form, arenaMem(dst, off), imm);
}

/** `[base + r12 + off]`: r12 holds the arena's start. */
function arenaMem(base: Reg, off: number) {
  return { base, index: R12, scale: 1, disp: off, dispBytes: isImm8(off) ? 1 : 4 } as const;
}

/** Atomic operations on an arena by `imm`; those that need a loop are not among them. */
export const ARENA_ATOMICS_64: ReadonlyMap<number, Form> = new Map([
  [0x00, F.lock_add_m64_r64],
  [0x40, F.lock_or_m64_r64],
  [0x50, F.lock_and_m64_r64],
  [0xa0, F.lock_xor_m64_r64],
  [0x01, F.lock_xadd_m64_r64],
  [0xe1, F.lock_xchg_m64_r64],
  [0xf1, F.lock_cmpxchg_m64_r64],
  [0x100, F.mov_r64_rm64],
  [0x110, F.mov_rm64_r64],
]);

/** The same, 32 bits wide. */
export const ARENA_ATOMICS_32: ReadonlyMap<number, Form> = new Map([
  [0x00, F.lock_add_m32_r32],
  [0x40, F.lock_or_m32_r32],
  [0x50, F.lock_and_m32_r32],
  [0xa0, F.lock_xor_m32_r32],
  [0x01, F.lock_xadd_m32_r32],
  [0xe1, F.lock_xchg_m32_r32],
  [0xf1, F.lock_cmpxchg_m32_r32],
  [0x100, F.mov_r32_rm32],
  [0x110, F.mov_rm32_r32],
]);

/** An atomic operation on an arena. */
export function arenaAtomic(forms: ReadonlyMap<number, Form>): Lower {
  return ({ asm, frame }, { index, dst, src, off, imm }) => {
    const form = forms.get(imm);
    if (form === undefined) {
      const text = `0x${(imm >>> 0).toString(16)}`;
      throw new X86Refusal(`atomic operation ${text} on an arena has no machine code`, frame.start + index);
    }
    const isLoad = form.row.opEn === 'RM';
    asm.rm(form, isLoad ? dst : src, arenaMem(isLoad ? src : dst, off));
  };
}

/**
 * `addr_space_cast`. To the kernel's space (0): the low 32 bits. To the user's (1): the upper half of the
 * arena's start there in front of them, and 0 stays 0.
 */
export const spaceCast: Lower = ({ asm, frame }, { index, dst, src, imm }) => {
  if (imm >>> 16 === 0) {
    asm.rr(F.mov_rm32_r32, dst, src);
    return;
  }
  if (frame.arena === undefined) {
    throw new X86Refusal('addr_space_cast needs the arena of the program', frame.start + index);
  }
  if (dst !== src) asm.rr(F.mov_rm32_r32, dst, src);
  asm.ri(F.shl_rm64_imm8, dst, 32);
  asm.ri(
    dst === RAX ? F.or_rax_imm32 : F.or_rm64_imm32,
    dst,
    Number(BigInt.asIntN(32, frame.arena.userVmStart >> 32n)),
  );
  asm.ri(F.rol_rm64_imm8, dst, 32);
  asm.rr(F.xor_rm64_r64, R11, R11);
  asm.rr(F.test_rm32_r32, dst, dst);
  asm.rr(F.cmove_r64_rm64, dst, R11);
};
