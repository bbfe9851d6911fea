import { WIDE_OPCODE } from '../isa/decode.ts';
import { INSN_SIZE, type Insn, type InsnIndex, readInsn } from '../isa/insn.ts';
import { BPF_ALU, BPF_ALU64, BPF_JMP, BPF_JMP32, BPF_X } from '../isa/opcodes.ts';
import { BPF_REG_AX } from '../isa/registers.ts';
import type { Machine } from '../vm/machine.ts';
import { BlindingKeys } from './blinding-keys.ts';
import { bpfPatchInsns } from './bpf-patch-insn-single.ts';
import { bpfJitProgReleaseOther, bpfProgCloneCreate } from './bpf-prog-clone.ts';
import { bytesOf } from './emit.ts';
import { type PatchRefusal, setBranchOff } from './patch.ts';
import type { BpfProgShell } from './prog.ts';

const MOV = 0xb0;
const XOR = 0xa0;
const LSH = 0x60;
const OR = 0x40;
/** ADD, SUB, MUL, DIV, OR, AND, MOD, XOR, MOV: not the shifts, NEG and END. */
const BLINDED_ALU: ReadonlySet<number> = new Set([0x00, 0x10, 0x20, 0x30, 0x40, 0x50, 0x90, 0xa0, 0xb0]);
/** JEQ, JGT, JGE, JSET, JNE, JSGT, JSGE, JLT, JLE, JSLT, JSLE. */
const BLINDED_JMP: ReadonlySet<number> = new Set([
  0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0xa0, 0xb0, 0xc0, 0xd0,
]);
/** ST | MEM of 4, 2, 1 and 8 bytes. */
const BLINDED_ST: ReadonlySet<number> = new Set([0x62, 0x6a, 0x72, 0x7a]);
/** What makes a store of an immediate one of a register. */
const ST_TO_STX = 0x01;
/** Slots in front of a blinded branch. */
const BEFORE_BRANCH = 2;

/**
 * Whether the instruction has a constant of the program's author in it that blinding hides. Left alone, as
 * by the kernel: shift counts, byte swaps, offsets, call numbers, `may_goto`, addresses of functions and
 * of kernel objects, and whatever uses AX already.
 */
export function isBlindable(insn: Insn): boolean {
  if (insn.dst === BPF_REG_AX || insn.src === BPF_REG_AX) return false;
  const op = insn.opcode & 0xf0;
  switch (insn.opcode & 0x0f) {
    case BPF_ALU:
    case BPF_ALU64:
      return BLINDED_ALU.has(op);
    case BPF_JMP:
    case BPF_JMP32:
      return BLINDED_JMP.has(op);
    default:
      return BLINDED_ST.has(insn.opcode) || (insn.opcode === WIDE_OPCODE && insn.src === 0);
  }
}

/**
 * Replaces every constant of the program's author by two that give it when combined, in AX, with a random
 * key, so that nobody can place bytes of their choice in native code. Works on a clone. Mirrors
 * `bpf_jit_blind_constants`, kernel/bpf/core.c; unlike there all functions are blinded at once, and keys
 * come from the machine's seed and are never 0.
 *
 * Returns the blinded clone, and the caller releases it or `prog` with `bpfJitProgReleaseOther`; or `prog`
 * itself where blinding was not asked for or was done before. A PatchRefusal: a branch no longer
 * reaches; then `prog` is as it was. Throws MemoryLimitError, `prog` as it was, too.
 */
export function bpfJitBlindConstants(machine: Machine, prog: BpfProgShell): BpfProgShell | PatchRefusal {
  if (!prog.blindingRequested || prog.blinded) {
    machine.lifeCycle.note(
      'bpf_jit_blind_constants',
      prog.blinded ? 'blinded already' : 'no blinding requested',
    );
    return prog;
  }
  const { insns } = prog.code;
  const keys = new BlindingKeys(machine.blindSeed, immediatesOf(insns));
  const replacements = new Map<InsnIndex, Uint8Array>();
  for (let slot = 0; slot * INSN_SIZE < insns.length; slot++) {
    const insn = readInsn(insns, slot);
    const isWide = insn.opcode === WIDE_OPCODE;
    if (isBlindable(insn) && (!isWide || (slot + 1) * INSN_SIZE < insns.length)) {
      const next = isWide ? readInsn(insns, slot + 1).imm : 0;
      replacements.set(slot, bytesOf(blindInsn(insn, next, keys)));
    }
    if (isWide) slot++;
  }
  machine.lifeCycle.note('bpf_jit_blind_constants', `${replacements.size} instructions`);
  const clone = bpfProgCloneCreate(machine, prog);
  let blinded: BpfProgShell | PatchRefusal;
  try {
    blinded = bpfPatchInsns(machine, clone, replacements, {
      finish: (out, entryNew) => moveBranches(insns, replacements, out, entryNew),
    });
  } catch (error) {
    bpfJitProgReleaseOther(machine, prog, clone);
    throw error;
  }
  if ('message' in blinded) {
    bpfJitProgReleaseOther(machine, prog, clone);
    return blinded;
  }
  blinded.blinded = true;
  return blinded;
}

/** The constants that must not show any more. */
function immediatesOf(insns: Uint8Array): Set<number> {
  const found = new Set<number>();
  for (let slot = 0; slot * INSN_SIZE < insns.length; slot++) {
    const insn = readInsn(insns, slot);
    const isWide = insn.opcode === WIDE_OPCODE;
    if (isBlindable(insn)) found.add(insn.imm);
    if (!isWide) continue;
    slot++;
    if (isBlindable(insn) && slot * INSN_SIZE < insns.length) found.add(readInsn(insns, slot).imm);
  }
  return found;
}

/** What stands for one instruction. Mirrors `bpf_jit_blind_insn`. `next`: `imm` of a second slot. */
function blindInsn(insn: Insn, next: number, keys: BlindingKeys): Insn[] {
  const { opcode, dst, off, imm } = insn;
  const cls = opcode & 7;
  if (opcode === WIDE_OPCODE) {
    return [
      ...intoAx(BPF_ALU64, next, keys),
      { opcode: BPF_ALU64 | LSH, dst: BPF_REG_AX, src: 0, off: 0, imm: 32 },
      { opcode: BPF_ALU64 | MOV | BPF_X, dst, src: BPF_REG_AX, off: 0, imm: 0 },
      ...intoAx(BPF_ALU, imm, keys),
      { opcode: BPF_ALU64 | OR | BPF_X, dst, src: BPF_REG_AX, off: 0, imm: 0 },
    ];
  }
  if (BLINDED_ST.has(opcode)) {
    return [
      ...intoAx(BPF_ALU64, imm, keys),
      { opcode: opcode | ST_TO_STX, dst, src: BPF_REG_AX, off, imm: 0 },
    ];
  }
  if (imm === 0 && (opcode === (BPF_ALU | MOV) || opcode === (BPF_ALU64 | MOV))) {
    return [{ opcode: cls | XOR | BPF_X, dst, src: dst, off: 0, imm: 0 }];
  }
  const narrow = cls === BPF_ALU || cls === BPF_JMP32;
  return [
    ...intoAx(narrow ? BPF_ALU : BPF_ALU64, imm, keys),
    { opcode: opcode | BPF_X, dst, src: BPF_REG_AX, off, imm: 0 },
  ];
}

/** Two instructions after which AX holds `imm`: sign-extended with ALU64, zero-extended with ALU. */
function intoAx(cls: number, imm: number, keys: BlindingKeys): Insn[] {
  const key = keys.next(imm);
  return [
    { opcode: cls | MOV, dst: BPF_REG_AX, src: 0, off: 0, imm: key ^ imm },
    { opcode: cls | XOR, dst: BPF_REG_AX, src: 0, off: 0, imm: key },
  ];
}

/** Blinded branches stand at the end of their sequences: their distances are told anew. */
function moveBranches(
  insns: Uint8Array,
  replacements: ReadonlyMap<InsnIndex, Uint8Array>,
  out: Uint8Array,
  firstNew: Uint32Array,
): PatchRefusal | undefined {
  const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
  for (const pc of replacements.keys()) {
    const insn = readInsn(insns, pc);
    const cls = insn.opcode & 7;
    if (cls !== BPF_JMP && cls !== BPF_JMP32) continue;
    const now = (firstNew[pc] ?? 0) + BEFORE_BRANCH;
    const refusal = setBranchOff(view, now, firstNew[pc + 1 + insn.off] ?? 0, pc);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}
