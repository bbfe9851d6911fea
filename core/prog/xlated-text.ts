import { type Decoded, decodeInsn } from '../isa/decode.ts';
import type { InsnIndex } from '../isa/insn.ts';
import { calledFunction } from '../isa/numbering.ts';
import { printInsn } from '../isa/print.ts';
import type { Subprog } from '../vm/program.ts';

/** What the text of a rewritten program is made from. */
export interface XlatedProgram {
  /** 8 bytes a slot. */
  readonly xlated: Uint8Array;
  readonly subprogs: readonly Subprog[];
}

/** One instruction of a rewritten program. */
export interface XlatedInsn {
  readonly decoded: Decoded;
  /** As `bpftool prog dump xlated` prints it, without the slot: `call bpf_map_lookup_elem#1049088`. */
  readonly text: string;
}

/**
 * The instruction at `slot`, with calls by the name of what they call. `functionAt` names the
 * program-local function that begins at a slot, where it is not to be the program's own name for it.
 */
export function xlatedInsn(
  { xlated, subprogs }: XlatedProgram,
  slot: InsnIndex,
  functionAt = (target: InsnIndex) => subprogs.find((subprog) => subprog.start === target)?.name,
): XlatedInsn {
  const decoded = decodeInsn(xlated, slot);
  const text = printInsn(decoded, 'kernel', {
    helper: (imm) => calledFunction(imm)?.name,
    func: functionAt,
  });
  return { decoded, text };
}
