import type { Insn } from '../isa/insn.ts';
import { BPF_ALU, BPF_ALU64, BPF_X } from '../isa/opcodes.ts';
import { BPF_REG_AX } from '../isa/registers.ts';
import {
  ADD32_IMM,
  ADD64_IMM,
  JEQ_IMM,
  JEQ32_IMM,
  JGT_IMM,
  JGT32_IMM,
  JNE_IMM,
  JNE32_IMM,
  jump,
  jumpIf,
  MOV32_IMM,
  MOV32_REG,
  MOV64_IMM,
  MOV64_REG,
  NEG32,
  NEG64,
  withImm,
  withReg,
  XOR32_REG,
} from './emit.ts';

const DIV = 0x30;
const MOD = 0x90;

/**
 * What stands for a division or remainder in rewritten code, where the instruction sets of machines trap:
 * division by 0 gives 0, the remainder leaves the dividend; the signed forms also keep the smallest number
 * divided by −1 away from the machine. Divisors that are constants need no guard, but signed −1 does
 * without dividing. Undefined: `insn` stays as it is. Sequences as `bpftool prog dump xlated` shows them on
 * Linux 6.18 (`do_misc_fixups`).
 */
export function guardDivMod(insn: Insn): readonly Insn[] | undefined {
  const op = insn.opcode & 0xf0;
  const cls = insn.opcode & 7;
  if ((op !== DIV && op !== MOD) || (cls !== BPF_ALU && cls !== BPF_ALU64)) return undefined;
  const isDiv = op === DIV;
  const isWide = cls === BPF_ALU64;
  const isSigned = insn.off === 1;
  if ((insn.opcode & BPF_X) === 0)
    return isSigned && insn.imm === -1 ? minusOne(insn, isDiv, isWide) : undefined;
  if (isSigned) return isDiv ? signedDiv(insn, isWide) : signedMod(insn, isWide);
  return isDiv ? unsignedDiv(insn, isWide) : unsignedMod(insn, isWide);
}

function minusOne({ dst }: Insn, isDiv: boolean, isWide: boolean): Insn[] {
  return [isDiv ? withImm(isWide ? NEG64 : NEG32, dst, 0) : withImm(MOV32_IMM, dst, 0)];
}

function unsignedDiv(insn: Insn, isWide: boolean): Insn[] {
  const { dst, src } = insn;
  return [jumpIf(isWide ? JNE_IMM : JNE32_IMM, src, 0, 2), withReg(XOR32_REG, dst, dst), jump(1), insn];
}

/** A 32-bit remainder by 0 still clears the upper half. */
function unsignedMod(insn: Insn, isWide: boolean): Insn[] {
  const { dst, src } = insn;
  if (isWide) return [jumpIf(JEQ_IMM, src, 0, 1), insn];
  return [jumpIf(JEQ32_IMM, src, 0, 2), insn, jump(1), withReg(MOV32_REG, dst, dst)];
}

/** AX is the divisor plus 1: 0 and 1 are the two that need care, −1 and 0. */
function divisorPlusOne(src: number, isWide: boolean): Insn[] {
  return [withReg(MOV64_REG, BPF_REG_AX, src), withImm(isWide ? ADD64_IMM : ADD32_IMM, BPF_REG_AX, 1)];
}

function signedDiv(insn: Insn, isWide: boolean): Insn[] {
  const { dst, src } = insn;
  return [
    ...divisorPlusOne(src, isWide),
    jumpIf(isWide ? JGT_IMM : JGT32_IMM, BPF_REG_AX, 1, 4),
    jumpIf(isWide ? JEQ_IMM : JEQ32_IMM, BPF_REG_AX, 0, 1),
    withImm(isWide ? MOV64_IMM : MOV32_IMM, dst, 0),
    withImm(isWide ? NEG64 : NEG32, dst, 0),
    jump(1),
    insn,
  ];
}

function signedMod(insn: Insn, isWide: boolean): Insn[] {
  const { dst, src } = insn;
  const guarded = [
    ...divisorPlusOne(src, isWide),
    jumpIf(isWide ? JGT_IMM : JGT32_IMM, BPF_REG_AX, 1, 3),
    jumpIf(isWide ? JEQ_IMM : JEQ32_IMM, BPF_REG_AX, 1, isWide ? 3 : 4),
    withImm(MOV32_IMM, dst, 0),
    jump(1),
    insn,
  ];
  return isWide ? guarded : [...guarded, jump(1), withReg(MOV32_REG, dst, dst)];
}
