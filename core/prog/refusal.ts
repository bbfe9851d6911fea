import type { InsnIndex } from '../isa/insn.ts';

/** Why a program is not loaded. */
export interface Refusal {
  /** The instruction to blame; undefined when it is the program as a whole. */
  readonly pc: InsnIndex | undefined;
  /** The kernel's text where it has one. */
  readonly message: string;
}
