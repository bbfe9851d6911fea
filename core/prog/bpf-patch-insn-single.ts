import { INSN_SIZE, type InsnIndex } from '../isa/insn.ts';
import type { Machine } from '../vm/machine.ts';
import { bpfProgRealloc } from './bpf-prog-realloc.ts';
import { setCode } from './code.ts';
import { type PatchRefusal, patchInsns } from './patch.ts';
import type { BpfProgShell, Code } from './prog.ts';

/**
 * Replaces the instruction at slot `off` by the instructions in `patch` (whole slots, one at least).
 * Branches, line records and function starts behind it follow. Mirrors `bpf_patch_insn_single`,
 * kernel/bpf/core.c. Returns the object to use from now on, a new one when it needs more pages; or why a
 * branch can no longer reach, then nothing is changed. Throws MemoryLimitError with nothing changed, too.
 */
export function bpfPatchInsnSingle(
  machine: Machine,
  prog: BpfProgShell,
  off: InsnIndex,
  patch: Uint8Array,
): BpfProgShell | PatchRefusal {
  return bpfPatchInsns(machine, prog, new Map([[off, patch]]));
}

/**
 * The same for any number of instructions at once, in time linear in the program's length: slots count in
 * the program before any of them. `finish` may change the new instructions before they are put in place.
 */
export function bpfPatchInsns(
  machine: Machine,
  prog: BpfProgShell,
  replacements: ReadonlyMap<InsnIndex, Uint8Array>,
  finish?: (insns: Uint8Array, firstNew: Uint32Array) => PatchRefusal | undefined,
): BpfProgShell | PatchRefusal {
  if (replacements.size === 0) return prog;
  const { code } = prog;
  const patched = patchInsns(code.insns, replacements);
  if ('message' in patched) return refuse(machine, patched);
  const refusal = finish?.(patched.insns, patched.firstNew);
  if (refusal !== undefined) return refuse(machine, refusal);
  const { insns, firstNew } = patched;
  const n = insns.length / INSN_SIZE;
  machine.lifeCycle.note(
    'bpf_patch_insn_single',
    `${replacements.size} replaced: ${code.insns.length / INSN_SIZE} → ${n} instructions`,
  );
  const next = bpfProgRealloc(machine, prog, n);
  const made: Code = {
    insns,
    origIdx: patched.origIdx.map((slot) => code.origIdx[slot] ?? 0),
    firstNew: code.firstNew.map((slot) => firstNew[slot] ?? 0),
    linfo: code.linfo.map((line) => ({ ...line, insnOff: firstNew[line.insnOff] ?? 0 })),
    funcs: code.funcs.map((slot) => firstNew[slot] ?? 0),
  };
  setCode(machine, next, made);
  return next;
}

function refuse(machine: Machine, refusal: PatchRefusal): PatchRefusal {
  machine.lifeCycle.note('bpf_patch_insn_single', refusal.message);
  return refusal;
}
