import { belowFrame, originOf } from '../interp/inlined.ts';
import type { Op } from '../interp/op.ts';
import { decodeInsn } from '../isa/decode.ts';
import { BPF_FUNC_TAIL_CALL } from '../isa/helper-ids.ts';
import type { InsnIndex } from '../isa/insn.ts';
import { calledFunction } from '../isa/numbering.ts';
import { decodeX86 } from '../jit/x86-64/decode.ts';
import type { X86Func } from '../jit/x86-64/program.ts';
import { BPF_TO_X86, RBP } from '../jit/x86-64/registers.ts';
import type { ExecProg } from '../vm/program.ts';
import { Patches } from './patches.ts';
import type { Exec } from './state.ts';

/** What the machine code of a BPF instruction does with memory. */
export type AccessMode = 'native' | 'read' | 'write' | 'probe' | 'arena-read' | 'arena-write' | 'below';

/** What is known of the BPF instruction at a slot. */
export interface SlotInfo {
  readonly op: Op;
  /** Offsets in the image of its code. */
  readonly start: number;
  readonly end: number;
  readonly access: AccessMode;
  /** It is a jump or a branch. */
  readonly jumps: boolean;
  readonly isTailCall: boolean;
  /** Number of the helper whose inlined code it is the load of; 0: none. */
  readonly inlined: number;
  /** The loader would have refused what it names; the handler of the other engines says so. */
  readonly guarded: boolean;
}

const GUARDED: ReadonlySet<string> = new Set(['call_kfunc', 'lddw_btf_id', 'lddw_map_fd', 'lddw_map_value']);

/** Acquiring loads and releasing stores, which other engines do not know on an arena. */
const ATOMIC_LOAD = 0x100;

/** Machine code of one function of a loaded program, with what executes it. */
export class NativeFunc {
  readonly prog: ExecProg;
  readonly code: X86Func;
  readonly isMain: boolean;
  /** Low word of the address of the first byte, unsigned; the high word is 0xffffffff. */
  readonly lo: number;
  /** Offset behind `mov rbp, rsp`, where tail calls enter: from there on rbp is the frame pointer. */
  readonly tailCallEntry: number;
  /** Which of R6 … R9 its prologue does not save: what is in them when it returns is its caller's. */
  readonly unsaved: readonly number[];
  /** What the instruction at an offset does; filled when it is first executed. */
  readonly execs: (Exec | undefined)[];
  /** Its breakpoints; those for slots as of the last `patchSlots`. */
  readonly patches: Patches;
  #epoch = 0;
  readonly #ops: readonly Op[];
  readonly #infos: (SlotInfo | undefined)[] = [];

  constructor(prog: ExecProg, code: X86Func, isMain: boolean, ops: readonly Op[]) {
    this.prog = prog;
    this.code = code;
    this.isMain = isMain;
    this.lo = Number(code.addr & 0xffff_ffffn);
    this.tailCallEntry = behindFrameSetup(code);
    const saved = savedBy(code);
    this.unsaved = [6, 7, 8, 9].filter((bpf) => !saved.has(BPF_TO_X86[bpf] ?? -1));
    this.execs = new Array(code.image.length).fill(undefined);
    this.patches = new Patches(code.image, (at) => {
      this.execs[at] = undefined;
    });
    this.#ops = ops;
  }

  /**
   * Patches the breakpoints that the program's bytes tell now: where the line record of such a slot has its address by
   * the rule of `bpf_prog_fill_jited_linfo`. That of the first slot is the image's start; so that a jump back to it
   * stops too, it is patched behind the prologue as well.
   */
  patchSlots(): void {
    if (this.#epoch === this.prog.breakpoints.epoch) return;
    this.#epoch = this.prog.breakpoints.epoch;
    const { start, end } = this.code;
    const offsets = new Set<number>();
    for (const slot of this.prog.breakpoints.slots) {
      if (slot < start || slot >= end) continue;
      if (slot === start) offsets.add(0);
      offsets.add(this.startOf(slot));
    }
    this.patches.setSlots(offsets);
  }

  /** Is a breakpoint patched in at the offset? */
  isPatched(offset: number): boolean {
    this.patchSlots();
    return this.patches.has(offset);
  }

  /** Offset at which the code of a slot begins: behind the prologue for the first. */
  startOf(slot: InsnIndex): number {
    const { start, prologueLen, insnToJitOff } = this.code;
    return slot === start ? prologueLen : (insnToJitOff[slot - start - 1] ?? 0);
  }

  /** The slot whose code holds `offset`; in the prologue the first one. */
  slotAt(offset: number): InsnIndex {
    const { start, insnToJitOff } = this.code;
    let low = 0;
    let high = insnToJitOff.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((insnToJitOff[middle] ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    return start + low;
  }

  /** What is known of `slot`. Throws RangeError for one that is not in the function. */
  info(slot: InsnIndex): SlotInfo {
    const known = this.#infos[slot - this.code.start];
    return known ?? this.#makeInfo(slot);
  }

  #makeInfo(slot: InsnIndex): SlotInfo {
    const op = this.#ops[slot];
    const { start, end, insnToJitOff } = this.code;
    if (op === undefined || slot < start || slot >= end) throw new RangeError(`no slot ${slot} here`);
    const decoded = decodeInsn(this.prog.xlated, slot);
    const origin = originOf(this.prog, slot);
    const call = origin.original?.row?.id === 'call_helper' ? origin.original.insn.imm : 0;
    const flow = decoded.row?.flow;
    const info: SlotInfo = {
      op,
      start: this.startOf(slot),
      end: insnToJitOff[slot - start] ?? 0,
      access: belowFrame(decoded, op.id, origin) === undefined ? accessOf(op.id) : 'below',
      jumps: flow === 'jump' || flow === 'branch',
      isTailCall:
        op.id === 'tail_call' ||
        (op.id === 'call_helper' && calledFunction(op.imm)?.helper === BPF_FUNC_TAIL_CALL),
      inlined: op.id === 'ldxw' ? call : 0,
      guarded: GUARDED.has(op.id) || (op.id.startsWith('probe_atomic') && op.imm >= ATOMIC_LOAD),
    };
    this.#infos[slot - start] = info;
    return info;
  }
}

function behindFrameSetup({ image, prologueLen }: X86Func): number {
  for (let at = 0; at < prologueLen; ) {
    const insn = decodeX86(image, at);
    if (insn === undefined) break;
    at += insn.length;
    const [to] = insn.operands;
    if (insn.form.row.id === 'mov_rm64_r64' && to?.kind === 'reg' && to.reg === RBP) return at;
  }
  throw new RangeError('this function sets up no frame');
}

/** By the names of the instruction table. */
function accessOf(id: string): AccessMode {
  if (id.startsWith('probe_arena_ld')) return 'arena-read';
  if (id.startsWith('probe_arena_st') || id.startsWith('probe_atomic')) return 'arena-write';
  if (id.startsWith('probe_ld')) return 'probe';
  if (id.startsWith('ldx') || id.startsWith('load_acquire')) return 'read';
  if (id.startsWith('st') || id.startsWith('atomic')) return 'write';
  return 'native';
}

/** Registers that the prologue pushes. */
function savedBy({ image, prologueLen }: X86Func): ReadonlySet<number> {
  const saved = new Set<number>();
  for (let at = 0; at < prologueLen; ) {
    const insn = decodeX86(image, at);
    if (insn === undefined) break;
    at += insn.length;
    const [pushed] = insn.operands;
    if (insn.form.row.id === 'push_r64' && pushed?.kind === 'reg') saved.add(pushed.reg);
  }
  return saved;
}
