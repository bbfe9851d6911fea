/**
 * The few opcodes and meanings of `src_reg` that passes over raw slots test for, where decoding each slot would be
 * too slow or says no more. Numbers of RFC 9669 and include/uapi/linux/bpf.h.
 */

/** `goto` with a 16-bit and with a 32-bit distance. */
export const OP_JA = 0x05;
export const OP_JA32 = 0x06;
export const OP_CALL = 0x85;
export const OP_EXIT = 0x95;
export const OP_MAY_GOTO = 0xe5;
/** A tail call, in rewritten programs only. */
export const OP_TAIL_CALL = 0xf5;

/** Instruction classes: `BPF_CLASS(opcode)`, the lowest three bits. */
export const BPF_LD = 0x00;
export const BPF_LDX = 0x01;
export const BPF_ST = 0x02;
export const BPF_STX = 0x03;
export const BPF_ALU = 0x04;
export const BPF_JMP = 0x05;
export const BPF_JMP32 = 0x06;
export const BPF_ALU64 = 0x07;
/** Source bit of arithmetic and jumps: a register instead of the immediate. */
export const BPF_X = 0x08;

/** `src_reg` of a call: a program-local function, a kernel function by BTF id. */
export const BPF_PSEUDO_CALL = 1;
export const BPF_PSEUDO_KFUNC_CALL = 2;
/** `src_reg` of a wide load: a map, the address of a map's value, the address of a function. */
export const BPF_PSEUDO_MAP_FD = 1;
export const BPF_PSEUDO_MAP_VALUE = 2;
export const BPF_PSEUDO_FUNC = 4;
/** The same of a map by its index in the array of fds that the loader hands over. */
export const BPF_PSEUDO_MAP_IDX = 5;
export const BPF_PSEUDO_MAP_IDX_VALUE = 6;

/** Bytes that a load, store or atomic operation accesses: `BPF_SIZE(opcode)`. */
export function accessSize(opcode: number): 1 | 2 | 4 | 8 {
  switch (opcode & 0x18) {
    case 0x00:
      return 4;
    case 0x08:
      return 2;
    case 0x10:
      return 1;
    default:
      return 8;
  }
}

/** Opcode of the load `BPF_LDX | BPF_MEM` of 1, 2, 4 or 8 bytes; undefined for other widths. */
export function loadOpcode(size: number): number | undefined {
  return { 1: 0x71, 2: 0x69, 4: 0x61, 8: 0x79 }[size];
}
