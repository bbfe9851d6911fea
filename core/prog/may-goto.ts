import type { Insn } from '../isa/insn.ts';
import { kernelFunctionImm } from '../isa/numbering.ts';
import { BPF_REG_AX, BPF_REG_FP } from '../isa/registers.ts';
import {
  call,
  JEQ_IMM,
  JNE_IMM,
  jumpIf,
  LDX64,
  load,
  MOV64_IMM,
  ST64,
  STX64,
  SUB64_IMM,
  withImm,
} from './emit.ts';

/** Stack that a function with `may_goto` has in addition: the iterations left, then the time it began. */
export const MAY_GOTO_STACK = 16;
/** Iterations between two looks at the clock (the kernel's BPF_MAX_TIMED_LOOPS). */
export const BPF_MAX_TIMED_LOOPS = 0xffff;
/** Which of the sequence's instructions is the jump that leaves it. */
export const MAY_GOTO_JUMP = 1;

const TIMED_MAY_GOTO = kernelFunctionImm('arch_bpf_timed_may_goto');

/**
 * What stands for a `may_goto` in rewritten code: take one from the iterations left, at `fp + counter`; when
 * they are used up ask the clock, and jump when it says so. The jump's distance is filled in later
 * (`MAY_GOTO_JUMP`). `counter`: bytes from the frame pointer, −512 … −16. The sequence is what `bpftool prog
 * dump xlated` shows on Linux 6.18.
 */
export function timedMayGoto(counter: number): readonly Insn[] {
  return [
    load(LDX64, BPF_REG_AX, BPF_REG_FP, counter),
    jumpIf(JEQ_IMM, BPF_REG_AX, 0, 0),
    withImm(SUB64_IMM, BPF_REG_AX, 1),
    jumpIf(JNE_IMM, BPF_REG_AX, 0, 2),
    withImm(MOV64_IMM, BPF_REG_AX, counter),
    call(TIMED_MAY_GOTO),
    { opcode: STX64, dst: BPF_REG_FP, src: BPF_REG_AX, off: counter, imm: 0 },
  ];
}

/** What a function with `may_goto` begins with: iterations and time get their first values. */
export function mayGotoInit(counter: number): readonly Insn[] {
  return [
    { opcode: ST64, dst: BPF_REG_FP, src: 0, off: counter, imm: BPF_MAX_TIMED_LOOPS },
    { opcode: ST64, dst: BPF_REG_FP, src: 0, off: counter + 8, imm: 0 },
  ];
}
