import type { Insn } from '../isa/insn.ts';
import { kernelFunctionImm } from '../isa/numbering.ts';
import { accessSize, BPF_LD } from '../isa/opcodes.ts';
import {
  ADD64_IMM,
  call,
  exit,
  JSGE_IMM,
  jumpIf,
  MOV64_IMM,
  MOV64_REG,
  withImm,
  withReg,
  XOR32_REG,
} from './emit.ts';

const MODE_ABS = 0x20;
const MODE_IND = 0x40;

const LOADERS: Readonly<Record<number, number>> = {
  1: kernelFunctionImm('bpf_skb_load_helper_8_no_cache'),
  2: kernelFunctionImm('bpf_skb_load_helper_16_no_cache'),
  4: kernelFunctionImm('bpf_skb_load_helper_32_no_cache'),
};

/**
 * What stands for a legacy packet load in rewritten code: the call of a loader with the socket buffer (R6)
 * and the offset, and, when the answer is negative, the return from the function with 0. Undefined: `insn`
 * is none. Mirrors `bpf_gen_ld_abs`, net/core/filter.c; the sequence is what `bpftool prog dump xlated`
 * shows on Linux 6.18.
 */
export function bpfGenLdAbs(insn: Insn): readonly Insn[] | undefined {
  const mode = insn.opcode & 0xe0;
  if ((insn.opcode & 7) !== BPF_LD || (mode !== MODE_ABS && mode !== MODE_IND)) return undefined;
  const offset: Insn[] =
    mode === MODE_ABS
      ? [withImm(MOV64_IMM, 2, insn.imm)]
      : // An offset of 0 is not added.
        [withReg(MOV64_REG, 2, insn.src), ...(insn.imm === 0 ? [] : [withImm(ADD64_IMM, 2, insn.imm)])];
  return [
    ...offset,
    withReg(MOV64_REG, 1, 6),
    call(LOADERS[accessSize(insn.opcode)] ?? 0),
    jumpIf(JSGE_IMM, 0, 0, 2),
    withReg(XOR32_REG, 0, 0),
    exit(),
  ];
}
