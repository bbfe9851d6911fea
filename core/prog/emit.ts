import { INSN_SIZE, type Insn, writeInsn } from '../isa/insn.ts';
import { OP_CALL, OP_EXIT, OP_JA } from '../isa/opcodes.ts';

/** Opcodes that rewritten programs are made of, by what they do. `…32`: on the low halves. */
export const MOV64_REG = 0xbf;
export const MOV64_IMM = 0xb7;
export const MOV32_REG = 0xbc;
export const MOV32_IMM = 0xb4;
export const ADD64_REG = 0x0f;
export const ADD64_IMM = 0x07;
export const ADD32_IMM = 0x04;
export const SUB64_IMM = 0x17;
export const MUL64_IMM = 0x27;
export const LSH64_IMM = 0x67;
export const AND32_IMM = 0x54;
export const XOR32_REG = 0xac;
export const XOR64_REG = 0xaf;
export const NEG64 = 0x87;
export const NEG32 = 0x84;
export const JEQ_IMM = 0x15;
export const JEQ32_IMM = 0x16;
export const JGT_IMM = 0x25;
export const JGT32_IMM = 0x26;
export const JGE_IMM = 0x35;
export const JNE_IMM = 0x55;
export const JNE32_IMM = 0x56;
export const JSGE_IMM = 0x75;
export const LDX8 = 0x71;
export const LDX32 = 0x61;
export const LDX64 = 0x79;
export const ST64 = 0x7a;
export const STX64 = 0x7b;

/** An instruction with an immediate: `dst op imm`. */
export function withImm(opcode: number, dst: number, imm: number): Insn {
  return { opcode, dst, src: 0, off: 0, imm };
}

/** An instruction between registers: `dst op src`. */
export function withReg(opcode: number, dst: number, src: number): Insn {
  return { opcode, dst, src, off: 0, imm: 0 };
}

/** A conditional jump over the `over` instructions that follow, comparing `dst` with `imm`. */
export function jumpIf(opcode: number, dst: number, imm: number, over: number): Insn {
  return { opcode, dst, src: 0, off: over, imm };
}

/** A jump over the `over` instructions that follow. */
export function jump(over: number): Insn {
  return { opcode: OP_JA, dst: 0, src: 0, off: over, imm: 0 };
}

/** A load: `dst = *(src + off)`. */
export function load(opcode: number, dst: number, src: number, off: number): Insn {
  return { opcode, dst, src, off, imm: 0 };
}

/** The move that makes of a per-CPU pointer an address: it adds the CPU's `this_cpu_off`. */
export function percpuAddress(reg: number): Insn {
  return { opcode: MOV64_REG, dst: reg, src: reg, off: -1, imm: 0 };
}

/** A call of the function at `imm` behind `__bpf_call_base`. */
export function call(imm: number): Insn {
  return withImm(OP_CALL, 0, imm);
}

/** The return from the function. */
export function exit(): Insn {
  return withImm(OP_EXIT, 0, 0);
}

/** The bytes of instructions. */
export function bytesOf(insns: readonly Insn[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(insns.length * INSN_SIZE);
  insns.forEach((insn, i) => {
    writeInsn(bytes, i, insn);
  });
  return bytes;
}
