import { INSN_SIZE, type InsnIndex } from '../isa/insn.ts';
import type { Machine } from '../vm/machine.ts';
import { JITED_LINFO_SIZE } from './bpf-prog-alloc-jited-linfo.ts';
import { auxOf, type BpfProgShell, type NativeImage } from './prog.ts';

/** Native code of one function. */
export interface JitedFunc extends NativeImage {
  /**
   * For each of the function's slots the end of its code, in bytes from `image` (both slots of a wide
   * instruction alike).
   */
  readonly insnToJitOff: ArrayLike<number>;
}

/**
 * Where a line record at `slot` of a function lies, in bytes from its image: 0 for the function's first slot, else where
 * the code of the slot before ends.
 */
export function lineOffset(
  { start, insnToJitOff }: Pick<JitedFunc, 'insnToJitOff'> & { readonly start: InsnIndex },
  slot: InsnIndex,
): number {
  return slot === start ? 0 : (insnToJitOff[slot - start - 1] ?? 0);
}

/**
 * Fills the native addresses of the line records of function `func` (an index; 0 is the main one), by `lineOffset`.
 * Mirrors `bpf_prog_fill_jited_linfo`, kernel/bpf/core.c. Does nothing where there is no table.
 * Throws RangeError when `insnToJitOff` is shorter than the function.
 */
export function bpfProgFillJitedLinfo(
  machine: Machine,
  prog: BpfProgShell,
  func: number,
  jited: JitedFunc,
): void {
  const table = auxOf(prog).jitedLinfo;
  const { funcs, linfo, insns } = prog.code;
  const start = funcs[func];
  if (table === 0 || start === undefined) {
    machine.lifeCycle.note('bpf_prog_fill_jited_linfo', `function ${func}: no table`);
    return;
  }
  const end = funcs[func + 1] ?? insns.length / INSN_SIZE;
  if (jited.insnToJitOff.length < end - start) {
    throw new RangeError(
      `function ${func} has ${end - start} slots; insn_to_jit_off tells of ${jited.insnToJitOff.length}`,
    );
  }
  const { view } = machine.memory;
  let filled = 0;
  for (const [i, { insnOff }] of linfo.entries()) {
    if (insnOff < start || insnOff >= end) continue;
    const offset = lineOffset({ start, insnToJitOff: jited.insnToJitOff }, insnOff);
    view.setBigUint64(table + i * JITED_LINFO_SIZE, jited.image + BigInt(offset), true);
    filled++;
  }
  machine.lifeCycle.note('bpf_prog_fill_jited_linfo', `function ${func}: ${filled} line records`);
}
