/** The registers and what the calling convention makes of them (RFC 9669 section 2.3 and the Linux ABI). */

/** One register. */
export interface RegisterInfo {
  readonly number: number;
  /** 64-bit name. */
  readonly name: string;
  /** Name of the low 32 bits; writing it zeroes the upper half. */
  readonly lowName: string;
  /** Who keeps its value over a call; `hidden` is never named by a program. */
  readonly saved: 'caller' | 'callee' | 'frame' | 'hidden';
  readonly role: string;
}

/** Number of registers that a program may name: R0 … R10. */
export const N_REGISTERS = 11;

/** First argument's register, in which a program is given its context. */
export const BPF_REG_ARG1 = 1;

/** The same, at a program's start. */
export const BPF_REG_CTX = BPF_REG_ARG1;

/** Stack pointer's register: read only, address of the byte behind the frame. */
export const BPF_REG_FP = 10;

/** The hidden temporary of rewritten programs. */
export const BPF_REG_AX = 11;

/** R0 to R10, then AX; the index is the number. */
export const REGISTERS: readonly RegisterInfo[] = [
  reg(0, 'caller', 'return value of a call, and the exit value of the program'),
  reg(1, 'caller', 'first argument; at the start of a program its context'),
  reg(2, 'caller', 'second argument'),
  reg(3, 'caller', 'third argument'),
  reg(4, 'caller', 'fourth argument'),
  reg(5, 'caller', 'fifth argument'),
  reg(6, 'callee', 'kept over calls; LD_ABS and LD_IND expect the context here'),
  reg(7, 'callee', 'kept over calls'),
  reg(8, 'callee', 'kept over calls'),
  reg(9, 'callee', 'kept over calls'),
  reg(10, 'frame', 'frame pointer, read only: the 512 bytes below it are the stack frame'),
  {
    number: BPF_REG_AX,
    name: 'ax',
    lowName: 'ax',
    saved: 'hidden',
    role: 'hidden temporary of rewritten programs; a program as loaded may not name it (R11 is invalid)',
  },
];

function reg(number: number, saved: RegisterInfo['saved'], role: string): RegisterInfo {
  return { number, name: `r${number}`, lowName: `w${number}`, saved, role };
}
