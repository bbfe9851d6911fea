import type { Lower } from './emission.ts';
import { FORMS as F } from './forms.ts';
import { R10, R11, RAX } from './registers.ts';
import type { Form } from './row.ts';

/** `dst = *(src + off)`. */
export function load(form: Form): Lower {
  return ({ asm }, { dst, src, off }) => asm.rmd(form, dst, src, off);
}

/** `*(dst + off) = src`, and the atomic operations that are one instruction. */
export function store(form: Form): Lower {
  return ({ asm }, { dst, src, off }) => asm.rmd(form, src, dst, off);
}

/** `*(dst + off) = imm`. */
export function storeImm(form: Form): Lower {
  return ({ asm }, { dst, off, imm }) => asm.mdi(form, dst, off, imm);
}

/** Forms of one width that an atomic fetch of or, and, xor is made of. */
interface FetchForms {
  readonly load: Form;
  readonly move: Form;
  readonly op: Form;
  readonly cmpxchg: Form;
}

/**
 * Atomic fetch of or, and, xor: load, compute in r11, exchange if nobody else has written, again if somebody
 * has. rax is kept in r10 meanwhile, which then stands for R0 as an operand too.
 */
export function fetchLoop({ load: loadForm, move, op, cmpxchg }: FetchForms): Lower {
  return ({ asm }, { dst, src, off }) => {
    const base = dst === RAX ? R10 : dst;
    const value = src === RAX ? R10 : src;
    asm.rr(F.mov_rm64_r64, R10, RAX);
    const again = asm.pos;
    asm.rmd(loadForm, RAX, base, off);
    asm.rr(move, R11, RAX);
    asm.rr(op, R11, value);
    asm.rmd(cmpxchg, R11, base, off);
    asm.rel(F.jne_rel8, again - (asm.pos + 2));
    asm.rr(move, value, RAX);
    asm.rr(F.mov_rm64_r64, RAX, R10);
  };
}

/**
 * A load through a pointer that may be wild (`BPF_PROBE_MEM`): 0 where the address lies in the user's part
 * of the address space or in the vsyscall page, else the load, whose page fault the kernel turns into 0.
 */
export function probeLoad(form: Form): Lower {
  return ({ asm, frame: { probe } }, { dst, src, off }) => {
    asm.ri(F.mov_rm64_imm32, R10, probe.vsyscall);
    asm.rr(F.mov_rm64_r64, R11, src);
    if (off !== 0) asm.ri(F.add_rm64_imm32, R11, off);
    asm.rr(F.sub_rm64_r64, R11, R10);
    asm.ri64(F.mov_r64_imm64, R10, probe.limitLo, probe.limitHi);
    asm.rr(F.cmp_rm64_r64, R11, R10);
    const readable = asm.ahead(F.ja_rel8);
    asm.rr(F.xor_rm32_r32, dst, dst);
    const done = asm.ahead(F.jmp_rel8);
    asm.land(readable);
    asm.rmd(form, dst, src, off);
    asm.land(done);
  };
}
