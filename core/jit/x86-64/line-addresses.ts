import type { InsnIndex } from '../../isa/insn.ts';
import type { X86Func } from './program.ts';

/**
 * Native addresses of line records, by the rule of `bpf_prog_fill_jited_linfo` (`core/prog`): the image's start
 * for a function's first slot, else the end of the code of the slot before. For output without a program
 * object. A record outside all functions has address 0.
 */
export function lineAddresses(funcs: readonly X86Func[], insnOffs: readonly InsnIndex[]): bigint[] {
  return insnOffs.map((insnOff) => {
    const func = funcs.find(({ start, end }) => insnOff >= start && insnOff < end);
    if (func === undefined) return 0n;
    const { addr, start, insnToJitOff } = func;
    return insnOff === start ? addr : addr + BigInt(insnToJitOff[insnOff - start - 1] ?? 0);
  });
}
