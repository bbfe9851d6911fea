import type { InsnIndex } from '../../isa/insn.ts';
import type { Assembler } from './assembler.ts';
import type { X86Config } from './config.ts';
import type { TailCallKind, X86Arena } from './program.ts';
import type { Reg } from './registers.ts';

/** Why a program has no machine code; caught where compiling begins. */
export class X86Refusal extends Error {
  readonly slot: InsnIndex | undefined;

  constructor(message: string, slot: InsnIndex | undefined) {
    super(message);
    this.slot = slot;
  }
}

/** One instruction of the function, taken apart before the passes begin. */
export interface Slot {
  /** Index in the function. */
  readonly index: number;
  /** x86-64 registers of the `dst` and `src` fields. */
  readonly dst: Reg;
  readonly src: Reg;
  readonly off: number;
  readonly imm: number;
  /** `imm` of the second slot of a wide instruction. */
  readonly nextImm: number;
  /** Slots that it takes. */
  readonly length: 1 | 2;
  readonly lower: Lower;
}

/** Writes the machine code of one instruction. */
export type Lower = (out: Emission, slot: Slot) => void;

/** What does not change while a function is compiled. */
export interface FunctionFrame {
  readonly config: X86Config;
  /** First slot in the program. */
  readonly start: InsnIndex;
  /** Slots. */
  readonly length: number;
  readonly isMain: boolean;
  readonly wasClassic: boolean;
  /** Bytes of stack, a multiple of 8. */
  readonly stack: number;
  readonly tailCallReachable: boolean;
  /** Registers that the prologue pushes, in that order. */
  readonly saved: readonly Reg[];
  readonly tailCall: (slot: InsnIndex) => TailCallKind;
  readonly arena: X86Arena | undefined;
  /** Per-CPU pointer to the end of the private stack, which r9 then points to on this CPU instead of rbp. */
  readonly privateStack: bigint | undefined;
  /** Low 32 bits of the address of `this_cpu_off`, signed. */
  readonly thisCpuOff: number;
  /** Addresses minus that of the image; NaN where there is no such address. */
  readonly callBase: number;
  readonly returnThunk: number;
  readonly indirectThunkRcx: number;
  /** Numbers of a checked load: the vsyscall page's address, and how far behind it user space ends. */
  readonly probe: { readonly vsyscall: number; readonly limitLo: number; readonly limitHi: number };
  /** Address of the function that a local call leads to, also minus that of this image; undefined: to none. */
  readonly callee: (slot: InsnIndex, off: number, imm: number) => Callee | undefined;
}

/** Where a function's image lies. */
export interface Callee {
  readonly addr: bigint;
  /** Minus the address of the calling image. */
  readonly distance: number;
}

/** State of one pass over a function. */
export interface Emission {
  readonly asm: Assembler;
  readonly frame: FunctionFrame;
  /**
   * `ends[i + 1]`: where the code of slot i ends, `ends[0]`: where the prologue ends. Of this pass for slots
   * that it has been over, of the last one for the others.
   */
  readonly ends: Int32Array;
  /** Where the epilogue begins; −1: not written yet in this pass. */
  epilogueAt: number;
  /** Jumps keep their length of the last pass, filled with `nop`. */
  readonly padding: boolean;
  /** Map addresses written in this pass. */
  readonly mapImms: { readonly at: number; readonly slot: InsnIndex }[];
}
