/** General registers of x86-64 by number (Intel SDM volume 2, table 3-1) and what BPF registers live in. */

/** Number of a general register, 0 … 15. */
export type Reg = number;

export const RAX = 0;
export const RCX = 1;
export const RDX = 2;
export const RBX = 3;
export const RSP = 4;
export const RBP = 5;
export const RSI = 6;
export const RDI = 7;
export const R8 = 8;
export const R9 = 9;
export const R10 = 10;
export const R11 = 11;
export const R12 = 12;
export const R13 = 13;
export const R14 = 14;
export const R15 = 15;

const LOW: readonly (readonly [string, string, string, string])[] = [
  ['al', 'ax', 'eax', 'rax'],
  ['cl', 'cx', 'ecx', 'rcx'],
  ['dl', 'dx', 'edx', 'rdx'],
  ['bl', 'bx', 'ebx', 'rbx'],
  ['spl', 'sp', 'esp', 'rsp'],
  ['bpl', 'bp', 'ebp', 'rbp'],
  ['sil', 'si', 'esi', 'rsi'],
  ['dil', 'di', 'edi', 'rdi'],
];

/** Name of register `reg` as an operand of `bits` bits. */
export function registerName(reg: Reg, bits: number): string {
  const size = bits === 8 ? 0 : bits === 16 ? 1 : bits === 32 ? 2 : 3;
  return LOW[reg]?.[size] ?? `r${reg}${['b', 'w', 'd', ''][size]}`;
}

/**
 * Where the kernel's JIT keeps R0 … R10 and AX (11): rax, rdi, rsi, rdx, rcx, r8, rbx, r13, r14, r15, rbp,
 * r10. r11 is scratch; r12 is for exceptions and the arena.
 */
export const BPF_TO_X86: readonly Reg[] = [RAX, RDI, RSI, RDX, RCX, R8, RBX, R13, R14, R15, RBP, R10];

/** The same where R10 points into a private stack: it lives in r9. */
export const BPF_TO_X86_PRIVATE: readonly Reg[] = BPF_TO_X86.with(10, R9);

/** Registers that a function saves when it uses them, in the order in which they are pushed: R6 … R9. */
export const CALLEE_SAVED: readonly Reg[] = [RBX, R13, R14, R15];
