import { convertCtxAccess } from '../ctx/convert.ts';
import { WIDE_OPCODE } from '../isa/decode.ts';
import { INSN_SIZE, type InsnIndex, readInsn } from '../isa/insn.ts';
import {
  BPF_PSEUDO_MAP_FD,
  BPF_PSEUDO_MAP_IDX,
  BPF_PSEUDO_MAP_IDX_VALUE,
  BPF_PSEUDO_MAP_VALUE,
} from '../isa/opcodes.ts';
import type { LoadAttr } from '../object/object.ts';
import type { Machine } from '../vm/machine.ts';
import { bpfPatchInsns } from './bpf-patch-insn-single.ts';
import { bytesOf } from './emit.ts';
import type { KindsResult } from './kinds.ts';
import type { PatchRefusal } from './patch.ts';
import type { Rewriting } from './prog.ts';
import { tcClsActPrologue } from './tc-cls-act-prologue.ts';

/**
 * Replaces each context access by accesses to the kernel's structures, and puts in front of a sched_cls
 * program that writes to the packet what makes it writable. Mirrors `convert_ctx_accesses`,
 * kernel/bpf/verifier.c. Undefined: done, in `rewriting.prog`. A PatchRefusal: a branch no longer reaches.
 * Throws MemoryLimitError.
 */
export function convertCtxAccesses(
  machine: Machine,
  rewriting: Rewriting,
  { insns, progType }: LoadAttr,
  kinds: KindsResult,
): PatchRefusal | undefined {
  machine.lifeCycle.note('convert_ctx_accesses');
  const options = {
    tstampTypeAccess: kinds.ctxAccesses.some((use) => use.field.name === 'tstamp_type'),
  };
  const replacements = new Map<InsnIndex, Uint8Array>();
  for (const use of kinds.ctxAccesses) {
    const insn = readInsn(insns, use.pc);
    replacements.set(use.pc, convertCtxAccess(progType, use.field, insn, use.offset, options));
  }
  const prologues = new Map<InsnIndex, Uint8Array>();
  if (progType === 'sched_cls' && kinds.writesPacket) prologues.set(0, bytesOf(tcClsActPrologue()));
  const patched = bpfPatchInsns(machine, rewriting.prog, replacements, { prologues });
  if (!('base' in patched)) return patched;
  rewriting.prog = patched;
  return undefined;
}

/** Sources of wide loads that name a map → what they are in rewritten code: an index into the array of fds is gone there. */
const RESOLVED: ReadonlyMap<number, number> = new Map([
  [BPF_PSEUDO_MAP_FD, BPF_PSEUDO_MAP_FD],
  [BPF_PSEUDO_MAP_IDX, BPF_PSEUDO_MAP_FD],
  [BPF_PSEUDO_MAP_VALUE, BPF_PSEUDO_MAP_VALUE],
  [BPF_PSEUDO_MAP_IDX_VALUE, BPF_PSEUDO_MAP_VALUE],
]);

/**
 * Puts the machine's map ids where the program as loaded has indices; however it names a map, rewritten code loads it in
 * one way. Mirrors `resolve_pseudo_ldimm64`, kernel/bpf/verifier.c.
 */
export function resolvePseudoLdimm64(insns: Uint8Array, mapIds: readonly number[]): void {
  const view = new DataView(insns.buffer, insns.byteOffset, insns.byteLength);
  for (let at = 0; at < insns.length; at += INSN_SIZE) {
    if (view.getUint8(at) !== WIDE_OPCODE) continue;
    const registers = view.getUint8(at + 1);
    const src = RESOLVED.get(registers >> 4);
    if (src !== undefined) {
      view.setUint8(at + 1, (src << 4) | (registers & 0xf));
      view.setInt32(at + 4, mapIds[view.getInt32(at + 4, true)] ?? 0, true);
    }
    at += INSN_SIZE;
  }
}
