import type { InsnIndex } from '../../isa/insn.ts';
import { lineOffset } from '../../prog/bpf-prog-fill-jited-linfo.ts';
import type { X86Func } from './program.ts';

/**
 * Native addresses of line records, by the rule of `bpf_prog_fill_jited_linfo`, for output without a program object. A
 * record outside all functions has address 0.
 */
export function lineAddresses(funcs: readonly X86Func[], insnOffs: readonly InsnIndex[]): bigint[] {
  return insnOffs.map((insnOff) => {
    const func = funcAt(funcs, insnOff);
    if (func === undefined || insnOff < func.start || insnOff >= func.end) return 0n;
    return func.addr + BigInt(lineOffset(func, insnOff));
  });
}

/** The last function that begins at the slot or before it. */
function funcAt(funcs: readonly X86Func[], slot: InsnIndex): X86Func | undefined {
  let low = 0;
  let high = funcs.length;
  while (low + 1 < high) {
    const middle = (low + high) >> 1;
    if ((funcs[middle]?.start ?? 0) <= slot) low = middle;
    else high = middle;
  }
  return funcs[low];
}
