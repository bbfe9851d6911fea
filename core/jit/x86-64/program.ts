import type { InsnIndex } from '../../isa/insn.ts';

/** How a tail call is made: to a program known at load (patched in), or through the map. */
export type TailCallKind = 'direct' | 'indirect';

/** A rewritten program, and what the JIT has to know of it beside the instructions. */
export interface X86Program {
  /** Rewritten instructions, 8 bytes a slot. A helper call's `imm` is its address minus `__bpf_call_base`. */
  readonly insns: Uint8Array;
  /** First slots of the functions, ascending; the main one (0) first. */
  readonly funcs: readonly InsnIndex[];
  /** Bytes of stack of each function, at most 512, with `may_goto` 528. */
  readonly stackDepths: readonly number[];
  /** Address of each function's image. */
  readonly imageAddrs: readonly bigint[];
  /** The addresses once the images' lengths in bytes are known, instead of `imageAddrs`. */
  readonly layOut?: ((lengths: readonly number[]) => readonly bigint[]) | undefined;
  /** The kind of every tail call, or of the one at that slot. */
  readonly tailCall?: TailCallKind | ((slot: InsnIndex) => TailCallKind) | undefined;
  /**
   * For each function whether a tail call can be reached from it. Absent: it can when the function makes
   * one or calls a function from which one can be reached (`tailCallReach`). The kernel looks at the program
   * as loaded, where the tail call may stand in code that no path reaches.
   */
  readonly tailCallReachable?: readonly boolean[] | undefined;
  /** Converted from classic BPF: the second patch site of the prologue is missing. */
  readonly wasClassic?: boolean | undefined;
  /** Calls `bpf_throw`: the main function saves all registers that a caller may expect unchanged. */
  readonly exceptionBoundary?: boolean | undefined;
  /**
   * For functions whose stack is not on the kernel's stack: the per-CPU pointer to the end of it. Undefined:
   * the kernel's stack.
   */
  readonly privateStacks?: readonly (bigint | undefined)[] | undefined;
  /** The arena that it uses. */
  readonly arena?: X86Arena | undefined;
}

/** Addresses of an arena, for programs that use one. */
export interface X86Arena {
  /** Start of the arena in the kernel's address space (r12 holds it). */
  readonly kernVmStart: bigint;
  /** Start of the arena in the user's address space. */
  readonly userVmStart: bigint;
}

/** Machine code of one function. */
export interface X86Func {
  /** First slot, and the slot behind the last. */
  readonly start: InsnIndex;
  readonly end: InsnIndex;
  /** Address of the first byte. */
  readonly addr: bigint;
  readonly image: Uint8Array<ArrayBuffer>;
  /** For each slot the end of its code, in bytes from the start of the image (both slots of a wide one alike). */
  readonly insnToJitOff: Int32Array;
  /** Bytes of the prologue: where the code of the first slot begins. */
  readonly prologueLen: number;
  /** Where 8-byte map addresses stand, which are zero in `image`: byte offset, and the slot of the load. */
  readonly mapImms: readonly { readonly at: number; readonly slot: InsnIndex }[];
  /** Passes until the length did not change any more, the last one not counted. */
  readonly passes: number;
}

/** Machine code of a program, or why there is none. */
export type X86Outcome =
  | { readonly ok: true; readonly funcs: readonly X86Func[] }
  | { readonly ok: false; readonly message: string; readonly slot: InsnIndex | undefined };
