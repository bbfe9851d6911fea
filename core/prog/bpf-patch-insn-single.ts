import { INSN_SIZE, type InsnIndex } from '../isa/insn.ts';
import type { Machine } from '../vm/machine.ts';
import { bpfProgRealloc } from './bpf-prog-realloc.ts';
import { setCode } from './code.ts';
import { type PatchRefusal, patchInsns, type SlotPatches } from './patch.ts';
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

/** What `bpfPatchInsns` can do beside replacing. */
export interface PatchOptions {
  /** What is put in front of slots that functions begin with, see `patchInsns`. */
  readonly prologues?: SlotPatches;
  /** May change the new instructions before they are put in place; `entryNew` as in `Patched`. */
  readonly finish?: (insns: Uint8Array, entryNew: Uint32Array) => PatchRefusal | undefined;
}

/**
 * The same for any number of instructions at once, in time linear in the program's length: slots count in
 * the program before any of them.
 */
export function bpfPatchInsns(
  machine: Machine,
  prog: BpfProgShell,
  replacements: SlotPatches,
  options: PatchOptions = {},
): BpfProgShell | PatchRefusal {
  const { prologues, finish } = options;
  const count = replacements.size + (prologues?.size ?? 0);
  if (count === 0) return prog;
  const { code } = prog;
  const patched = patchInsns(code.insns, replacements, prologues);
  if ('message' in patched) return refuse(machine, code, patched);
  const refusal = finish?.(patched.insns, patched.entryNew);
  if (refusal !== undefined) return refuse(machine, code, refusal);
  const { insns, firstNew, entryNew } = patched;
  const n = insns.length / INSN_SIZE;
  machine.lifeCycle.note(
    'bpf_patch_insn_single',
    `${count} replaced: ${code.insns.length / INSN_SIZE} → ${n} instructions`,
  );
  const next = bpfProgRealloc(machine, prog, n);
  const made: Code = {
    insns,
    origIdx: patched.origIdx.map((slot) => code.origIdx[slot] ?? 0),
    firstNew: code.firstNew.map((slot) => entryNew[slot] ?? 0),
    linfo: code.linfo.map((line) => ({ ...line, insnOff: firstNew[line.insnOff] ?? 0 })),
    funcs: code.funcs.map((slot) => firstNew[slot] ?? 0),
  };
  setCode(machine, next, made);
  return next;
}

/** The refusal with the slot as loaded instead of the present one. */
function refuse(machine: Machine, code: Code, refusal: PatchRefusal): PatchRefusal {
  machine.lifeCycle.note('bpf_patch_insn_single', refusal.message);
  return { ...refusal, pc: code.origIdx[refusal.pc] ?? refusal.pc };
}
