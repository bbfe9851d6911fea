import { convertCtxAccess } from '../ctx/convert.ts';
import { WIDE_OPCODE } from '../isa/decode.ts';
import { INSN_SIZE, type InsnIndex, readInsn } from '../isa/insn.ts';
import { BPF_PSEUDO_MAP_FD, BPF_PSEUDO_MAP_VALUE } from '../isa/opcodes.ts';
import type { ProgType } from '../object/object.ts';
import type { KindsResult } from './kinds.ts';

/**
 * What takes the place of each context access, by slot: accesses to the kernel's structures. Everything
 * else stays as it is (helper calls keep the helper's number). Mirrors `convert_ctx_accesses`,
 * kernel/bpf/verifier.c.
 */
export function convertCtxAccesses(
  insns: Uint8Array,
  progType: ProgType,
  kinds: KindsResult,
): ReadonlyMap<InsnIndex, Uint8Array> {
  const options = {
    tstampTypeAccess: kinds.ctxAccesses.some((use) => use.field.name === 'tstamp_type'),
  };
  const replacements = new Map<InsnIndex, Uint8Array>();
  for (const use of kinds.ctxAccesses) {
    const insn = readInsn(insns, use.pc);
    replacements.set(use.pc, convertCtxAccess(progType, use.field, insn, use.offset, options));
  }
  return replacements;
}

/**
 * Puts the machine's map ids where the program as loaded has indices. Mirrors
 * `resolve_pseudo_ldimm64`, kernel/bpf/verifier.c.
 */
export function resolvePseudoLdimm64(insns: Uint8Array, mapIds: readonly number[]): void {
  const view = new DataView(insns.buffer, insns.byteOffset, insns.byteLength);
  for (let at = 0; at < insns.length; at += INSN_SIZE) {
    if (view.getUint8(at) !== WIDE_OPCODE) continue;
    const src = view.getUint8(at + 1) >> 4;
    if (src === BPF_PSEUDO_MAP_FD || src === BPF_PSEUDO_MAP_VALUE) {
      view.setInt32(at + 4, mapIds[view.getInt32(at + 4, true)] ?? 0, true);
    }
    at += INSN_SIZE;
  }
}
