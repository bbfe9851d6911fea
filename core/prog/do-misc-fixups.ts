import { WIDE_OPCODE } from '../isa/decode.ts';
import { BPF_FUNC_GET_SMP_PROCESSOR_ID, BPF_FUNC_TAIL_CALL } from '../isa/helper-ids.ts';
import { INSN_SIZE, type Insn, type InsnIndex, readInsn, writeInsn } from '../isa/insn.ts';
import { helperImm } from '../isa/numbering.ts';
import { OP_CALL, OP_JA, OP_MAY_GOTO } from '../isa/opcodes.ts';
import type { Machine } from '../vm/machine.ts';
import type { BpfMap, MapAttr } from '../vm/map.ts';
import { PER_CPU_CPU_NUMBER } from '../vm/per-cpu.ts';
import { bpfGenLdAbs } from './bpf-gen-ld-abs.ts';
import { bpfPatchInsns } from './bpf-patch-insn-single.ts';
import { setCode } from './code.ts';
import { guardDivMod } from './div-mod.ts';
import { bytesOf, call, LDX32, load, MOV64_IMM, percpuAddress, withImm } from './emit.ts';
import type { KindsResult } from './kinds.ts';
import { mapCall, tailCall } from './map-calls.ts';
import { MAY_GOTO_JUMP, mayGotoInit, timedMayGoto } from './may-goto.ts';
import { type PatchRefusal, setBranchOff } from './patch.ts';
import type { BpfProgShell, Code, Rewriting } from './prog.ts';
import { isCmpxchg32, wantingZext, ZEXT_R0 } from './zext.ts';

/** What the rewriting of a program depends on beside its code. */
export interface FixupInput {
  /** Instructions as loaded. */
  readonly insns: Uint8Array;
  readonly kinds: KindsResult;
  /** Its maps, as map loads count them. */
  readonly maps: readonly BpfMap[];
}

/**
 * Makes of a program's instructions, context accesses done, what the kernel executes: guards around divisions,
 * packet loads as calls, `may_goto` with the clock, tail calls, lookups without a call, and in every other
 * call the function's address instead of the helper's number. Lookups and other calls that depend on the map
 * are only changed where it is always the same. Mirrors `do_misc_fixups` and, for compare-and-exchange,
 * `opt_subreg_zext_lo32_rnd_hi32`, kernel/bpf/verifier.c.
 *
 * Undefined: done, in `rewriting.prog`. A PatchRefusal: a branch no longer reaches. Throws MemoryLimitError.
 */
export function doMiscFixups(
  machine: Machine,
  rewriting: Rewriting,
  input: FixupInput,
): PatchRefusal | undefined {
  machine.lifeCycle.note('do_misc_fixups');
  const { prog } = rewriting;
  // Patching may leave the object in place and give it other code.
  const { code } = prog;
  const fixups = new Fixups(machine, prog, input);
  fixups.collect();
  setCode(machine, prog, code);
  const patched = bpfPatchInsns(machine, prog, fixups.replacements, {
    finish: (insns, entryNew) => moveMayGotos(code, fixups.mayGotos, insns, entryNew),
  });
  if (!('base' in patched)) return patched;
  rewriting.prog = patched;
  const begun = bpfPatchInsns(machine, patched, new Map(), { prologues: fixups.prologues(patched.code) });
  if (!('base' in begun)) return begun;
  rewriting.prog = begun;
  return undefined;
}

class Fixups {
  readonly replacements = new Map<InsnIndex, Uint8Array>();
  /** Slots of `may_goto`. */
  readonly mayGotos: InsnIndex[] = [];
  readonly #machine: Machine;
  readonly #code: Code;
  readonly #jitRequested: boolean;
  readonly #input: FixupInput;
  /** Map argument of calls, by slot as loaded. */
  readonly #mapOf = new Map<InsnIndex, MapAttr>();

  readonly #wantingZext: ReadonlySet<InsnIndex>;
  readonly #unreachable: ReadonlySet<InsnIndex>;

  constructor(machine: Machine, prog: BpfProgShell, input: FixupInput) {
    this.#wantingZext = wantingZext(input.insns);
    this.#unreachable = new Set(input.kinds.unreachable);
    this.#machine = machine;
    this.#code = prog.code;
    this.#jitRequested = prog.jitRequested;
    this.#input = input;
    for (const { pc, map, certain } of input.kinds.mapArgs) {
      const attr = map === undefined || !certain ? undefined : input.maps[map]?.def;
      if (attr !== undefined) this.#mapOf.set(pc, attr);
    }
  }

  /** Goes over all instructions: what stays one instruction is changed in place. */
  collect(): void {
    const { insns, origIdx, funcs } = this.#code;
    const nSlots = insns.length / INSN_SIZE;
    let fn = 0;
    for (let slot = 0; slot < nSlots; slot++) {
      if (funcs[fn + 1] === slot) fn++;
      const insn = readInsn(insns, slot);
      const made = this.#rewrite(insn, slot, origIdx[slot] ?? 0, fn);
      if (insn.opcode === WIDE_OPCODE) slot++;
      const [only] = made ?? [];
      if (made === undefined || only === undefined) continue;
      if (made.length === 1) writeInsn(insns, slot, only);
      else this.replacements.set(slot, bytesOf(made));
    }
  }

  /** What functions with `may_goto` begin with, by slot of `code`. */
  prologues(code: Code): Map<InsnIndex, Uint8Array> {
    const found = new Map<InsnIndex, Uint8Array>();
    this.#input.kinds.subprogs.forEach(({ stackDepth }, fn) => {
      const end = this.#code.funcs[fn + 1] ?? Number.POSITIVE_INFINITY;
      const start = this.#code.funcs[fn] ?? 0;
      const slot = code.funcs[fn];
      if (slot === undefined || !this.mayGotos.some((at) => at >= start && at < end)) return;
      found.set(slot, bytesOf(mayGotoInit(-stackDepth)));
    });
    return found;
  }

  #rewrite(insn: Insn, slot: InsnIndex, orig: InsnIndex, fn: number): readonly Insn[] | undefined {
    if (insn.opcode === OP_CALL && insn.src === 0) return this.#call(insn, orig);
    if (insn.opcode === OP_MAY_GOTO) {
      // One that no path comes to, or that leads nowhere, has no place on the stack: the kernel removes it. Here each
      // instruction stays; as a jump every compiler knows it.
      if (insn.off === 0 || this.#unreachable.has(orig)) return [{ ...insn, opcode: OP_JA, src: 0 }];
      this.mayGotos.push(slot);
      return timedMayGoto(-(this.#input.kinds.subprogs[fn]?.stackDepth ?? 0));
    }
    if (isCmpxchg32(insn)) return this.#wantingZext.has(orig) ? [insn, ZEXT_R0] : undefined;
    return guardDivMod(insn) ?? bpfGenLdAbs(insn);
  }

  #call({ imm }: Insn, orig: InsnIndex): readonly Insn[] | undefined {
    const { privileged } = this.#machine.settings;
    const map = this.#mapOf.get(orig);
    if (imm === BPF_FUNC_TAIL_CALL) return tailCall(map, privileged);
    const inlined = this.#jitRequested ? this.#inline(imm, map, privileged) : undefined;
    if (inlined !== undefined) return inlined;
    const address = helperImm(imm);
    return address === undefined ? undefined : [call(address)];
  }

  #inline(id: number, map: MapAttr | undefined, privileged: boolean): readonly Insn[] | undefined {
    if (id === BPF_FUNC_GET_SMP_PROCESSOR_ID) {
      // The first use lays the variables out.
      this.#machine.perCpu();
      return [withImm(MOV64_IMM, 0, PER_CPU_CPU_NUMBER), percpuAddress(0), load(LDX32, 0, 0, 0)];
    }
    return map === undefined ? undefined : mapCall(id, map, privileged);
  }
}

/** The jumps in what stands for `may_goto` lead out of it: their distances are told now. */
function moveMayGotos(
  before: Code,
  mayGotos: readonly InsnIndex[],
  insns: Uint8Array,
  entryNew: Uint32Array,
): PatchRefusal | undefined {
  const view = new DataView(insns.buffer, insns.byteOffset, insns.byteLength);
  for (const slot of mayGotos) {
    const now = (entryNew[slot] ?? 0) + MAY_GOTO_JUMP;
    const target = entryNew[slot + 1 + readInsn(before.insns, slot).off] ?? 0;
    const refusal = setBranchOff(view, now, target, slot);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}
