import type { InsnIndex } from '../../isa/insn.ts';
import type { X86Func } from './program.ts';

/**
 * Native addresses of line records, by the rule of `bpf_prog_fill_jited_linfo` (`core/prog`): the image's start
 * for a function's first slot, else the end of the code of the slot before. For output without a program
 * object. A record outside all functions has address 0.
 */
export function lineAddresses(funcs: readonly X86Func[], insnOffs: readonly InsnIndex[]): bigint[] {
  return insnOffs.map((insnOff) => {
    const func = funcAt(funcs, insnOff);
    if (func === undefined || insnOff < func.start || insnOff >= func.end) return 0n;
    const { addr, start, insnToJitOff } = func;
    return insnOff === start ? addr : addr + BigInt(insnToJitOff[insnOff - start - 1] ?? 0);
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
