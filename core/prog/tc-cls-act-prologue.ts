import { CLONED_MASK, SK_BUFF } from '../ctx/offsets.ts';
import { BPF_FUNC_SKB_PULL_DATA } from '../isa/helper-ids.ts';
import type { Insn } from '../isa/insn.ts';
import {
  AND32_IMM,
  call,
  exit,
  JEQ_IMM,
  jumpIf,
  LDX8,
  load,
  MOV32_IMM,
  MOV64_REG,
  withImm,
  withReg,
  XOR64_REG,
} from './emit.ts';

/** Verdict of a packet that could not be made writable. */
const TC_ACT_SHOT = 2;

/**
 * What a sched_cls program begins with that writes to the packet directly: a socket buffer whose data others
 * share gets data of its own first. R6 is free there: nothing has a value yet but the context in R1. Mirrors
 * `tc_cls_act_prologue`, net/core/filter.c; the sequence is what `bpftool prog dump xlated` shows on Linux
 * 6.18. The helper's number is in the call: calls are numbered afterwards.
 */
export function tcClsActPrologue(): readonly Insn[] {
  return [
    load(LDX8, 6, 1, SK_BUFF.cloned),
    withImm(AND32_IMM, 6, CLONED_MASK),
    jumpIf(JEQ_IMM, 6, 0, 7),
    withReg(MOV64_REG, 6, 1),
    withReg(XOR64_REG, 2, 2),
    call(BPF_FUNC_SKB_PULL_DATA),
    jumpIf(JEQ_IMM, 0, 0, 2),
    withImm(MOV32_IMM, 0, TC_ACT_SHOT),
    exit(),
    withReg(MOV64_REG, 1, 6),
  ];
}
