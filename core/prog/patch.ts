import { WIDE_OPCODE } from '../isa/decode.ts';
import { INSN_SIZE, type InsnIndex } from '../isa/insn.ts';
import {
  BPF_JMP,
  BPF_JMP32,
  BPF_PSEUDO_CALL,
  BPF_PSEUDO_FUNC,
  OP_CALL,
  OP_JA32,
  OP_TAIL_CALL,
} from '../isa/opcodes.ts';

/** A program after replacing instructions by sequences. */
export interface Patched {
  readonly insns: Uint8Array<ArrayBuffer>;
  /** New slot → old slot. */
  readonly origIdx: Uint32Array;
  /**
   * Old slot → first new slot of what stands for it, with what was put in front of it: where calls lead
   * and lines begin. One entry more for the program's end.
   */
  readonly firstNew: Uint32Array;
  /** The same behind what was put in front of it: where jumps lead and the instruction itself begins. */
  readonly entryNew: Uint32Array;
}

/** Bytes for old slots: whole slots, one at least for each. */
export type SlotPatches = ReadonlyMap<InsnIndex, Uint8Array>;

/** Why a patch cannot be made: a branch would no longer reach its target. */
export interface PatchRefusal {
  /** Slot of the branch: the old one; `bpfPatchInsns` gives the one as loaded. */
  readonly pc: InsnIndex;
  readonly message: string;
}

/** `BPF_OP` of calls and of `exit`, whatever the source bit. */
const BPF_CALL = 0x80;
const BPF_EXIT = 0x90;

const NO_PATCHES: SlotPatches = new Map();

/**
 * Replaces instructions of a program: `replacements` maps an old slot to the bytes that take its place
 * (both slots of a wide instruction are replaced at its first). Branches, local calls and function
 * addresses outside the replacements keep their targets, a target that was replaced becomes the first
 * slot of what replaced it; branches inside a replacement are left as they are (relative to it).
 * `prologues` are put in front of old slots that functions begin with: calls come to them, jumps do not
 * (`adjust_jmp_off`).
 *
 * All replacements are made in one sweep, linear in the program's length, with the result that one
 * `bpf_patch_insn_data` (kernel/bpf/verifier.c) after the other has. A branch whose 16-bit offset no
 * longer reaches is refused with `bpf_patch_insn_single`'s text.
 */
export function patchInsns(
  insns: Uint8Array,
  replacements: SlotPatches,
  prologues: SlotPatches = NO_PATCHES,
): Patched | PatchRefusal {
  const n = insns.length / INSN_SIZE;
  const firstNew = new Uint32Array(n + 1);
  const entryNew = new Uint32Array(n + 1);
  let at = 0;
  for (let old = 0; old < n; old++) {
    firstNew[old] = at;
    at += (prologues.get(old)?.length ?? 0) / INSN_SIZE;
    entryNew[old] = at;
    const made = replacements.get(old);
    if (made === undefined) {
      at += 1;
      continue;
    }
    at += made.length / INSN_SIZE;
    if (insns[old * INSN_SIZE] === WIDE_OPCODE && old + 1 < n) {
      firstNew[++old] = at;
      entryNew[old] = at;
    }
  }
  firstNew[n] = at;
  entryNew[n] = at;

  const out = new Uint8Array(at * INSN_SIZE);
  const origIdx = new Uint32Array(at);
  for (let old = 0; old < n; old++) {
    const prologue = prologues.get(old);
    const first = entryNew[old] ?? 0;
    if (prologue !== undefined) {
      out.set(prologue, (firstNew[old] ?? 0) * INSN_SIZE);
      origIdx.fill(old, firstNew[old], first);
    }
    const made = replacements.get(old);
    if (made === undefined) {
      out.set(insns.subarray(old * INSN_SIZE, (old + 1) * INSN_SIZE), first * INSN_SIZE);
      origIdx[first] = old;
      continue;
    }
    out.set(made, first * INSN_SIZE);
    origIdx.fill(old, first, first + made.length / INSN_SIZE);
    if (insns[old * INSN_SIZE] === WIDE_OPCODE) old++;
  }
  const patched = { insns: out, origIdx, firstNew, entryNew };
  const isChanged = replacements.size > 0 || prologues.size > 0;
  return (isChanged ? adjustBranches(insns, patched, replacements) : undefined) ?? patched;
}

/** Mirrors `bpf_adj_branches`, kernel/bpf/core.c, for all replacements at once. */
function adjustBranches(
  insns: Uint8Array,
  { insns: out, firstNew, entryNew }: Patched,
  replacements: SlotPatches,
): PatchRefusal | undefined {
  const n = insns.length / INSN_SIZE;
  const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
  for (let old = 0; old < n; old++) {
    const opcode = insns[old * INSN_SIZE] ?? 0;
    const wide = opcode === WIDE_OPCODE;
    if (!replacements.has(old)) {
      const src = (insns[old * INSN_SIZE + 1] ?? 0) >> 4;
      const field = branchField(opcode, src);
      if (field !== 'none') {
        const now = entryNew[old] ?? 0;
        const byte = now * INSN_SIZE;
        const distance = field === 'off' ? view.getInt16(byte + 2, true) : view.getInt32(byte + 4, true);
        const target = old + 1 + distance;
        const isFunction = wide || opcode === OP_CALL;
        const moved = (isFunction ? firstNew : entryNew)[target] ?? 0;
        const refusal = field === 'off' ? setBranchOff(view, now, moved, old) : undefined;
        if (refusal !== undefined) return refusal;
        if (field === 'imm') view.setInt32(byte + 4, moved - now - 1, true);
      }
    }
    if (wide) old++;
  }
  return undefined;
}

/**
 * Makes the branch at slot `now` of a patched program lead to slot `target`. A refusal, with
 * `bpf_patch_insn_single`'s text, where 16 bits do not reach; `old` is the branch's slot before.
 */
export function setBranchOff(
  view: DataView,
  now: InsnIndex,
  target: InsnIndex,
  old: InsnIndex,
): PatchRefusal | undefined {
  const distance = target - now - 1;
  if (distance < -0x8000 || distance > 0x7fff) {
    return { pc: old, message: `insn ${old} cannot be patched due to 16-bit range` };
  }
  view.setInt16(now * INSN_SIZE + 2, distance, true);
  return undefined;
}

/** Which field of an instruction is a distance in slots from the next instruction. */
export function branchField(opcode: number, src: number): 'off' | 'imm' | 'none' {
  if (opcode === WIDE_OPCODE) return src === BPF_PSEUDO_FUNC ? 'imm' : 'none';
  const cls = opcode & 7;
  if (cls !== BPF_JMP && cls !== BPF_JMP32) return 'none';
  if (opcode === OP_CALL) return src === BPF_PSEUDO_CALL ? 'imm' : 'none';
  const op = opcode & 0xf0;
  if (op === BPF_CALL || op === BPF_EXIT || opcode === OP_TAIL_CALL) return 'none';
  return opcode === OP_JA32 ? 'imm' : 'off';
}
