import type { InsnIndex } from '../isa/insn.ts';
import { changesPktData } from './changes-pkt-data.ts';
import { argumentsOf, type EntryArgs } from './extension-args.ts';
import type { BpfProg, BpfProgShell } from './prog.ts';
import type { Refusal } from './refusal.ts';

/** A function that an extension can take the place of. */
export interface AttachTarget {
  readonly prog: BpfProg;
  /** Its name. */
  readonly func: string;
  /** Its first slot in the rewritten program. */
  readonly start: InsnIndex;
  /** What its callers give it. */
  readonly args: EntryArgs;
}

/**
 * Finds function `func` of `target` and whether an extension may take its place; `changesPacket`: the
 * extension may change the packet's layout. Mirrors `bpf_check_attach_target`, kernel/bpf/verifier.c, for
 * programs of type `ext`, with its texts. Functions are found by name, where a kernel has BTF, and their
 * prototypes are not compared: what the extension may do with its arguments follows from what callers pass.
 * The target need not be native here, because engines replace the function, not its machine code.
 */
export function bpfCheckAttachTarget(
  ext: BpfProgShell,
  target: BpfProg,
  func: string,
  changesPacket: boolean,
): AttachTarget | Refusal {
  const refuse = (message: string): Refusal => ({ pc: undefined, message });
  const fn = functionNamed(target, func);
  const subprog = target.kinds.subprogs[fn];
  if (subprog === undefined) {
    const names = target.subprogs.map(({ name }) => name).join(', ');
    return refuse(`Subprog ${func} doesn't exist: ${target.name} has ${names}`);
  }
  const isGlobal =
    fn === 0 || target.attr.funcs.some((each) => each.insnOff === subprog.start && each.isGlobal);
  if (!isGlobal) return refuse(`Cannot replace static functions: ${func} has to be global (.globl ${func})`);
  if (!ext.jitRequested) return refuse('Extension programs should be JITed: bpf_jit_enable is 0');
  if (changesPacket && !changesPktData(target.insns, target.kinds.subprogs, fn)) {
    return refuse('Extension program changes packet data, while original does not');
  }
  if (target.progType === 'ext')
    return refuse('Cannot recursively attach: the target is an extension itself');
  const starts = target.kinds.subprogs.map(({ start }) => start);
  const { insns, attr } = target;
  const args = argumentsOf({ insns, progType: attr.progType, maps: attr.maps, starts }, fn);
  return { prog: target, func, start: target.subprogs[fn]?.start ?? 0, args };
}

/** Index of the function; the main one may also be called as its program. */
function functionNamed(target: BpfProg, func: string): number {
  const index = target.subprogs.findIndex(({ name }) => name === func);
  return index < 0 && func === target.name ? 0 : index;
}
