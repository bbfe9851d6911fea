import { resolveCtxAccess } from '../ctx/access.ts';
import type { CtxField } from '../ctx/fields.ts';
import { decodeInsn, insnReads } from '../isa/decode.ts';
import { helperById } from '../isa/helpers.ts';
import { INSN_SIZE, type InsnIndex } from '../isa/insn.ts';
import { accessSize } from '../isa/opcodes.ts';
import { BPF_REG_FP } from '../isa/registers.ts';
import type { ProgType } from '../object/object.ts';
import { CONFLICT, CTX_VAR, ctxOffset, isCtx, isPointer, KIND_CTX, kindOf } from './lattice.ts';
import type { Refusal } from './refusal.ts';
import type { State } from './state.ts';
import { regValue } from './transfer.ts';

/** An instruction that accesses the context. */
export interface CtxUse {
  readonly pc: InsnIndex;
  readonly field: CtxField;
  /** Bytes from the start of the user-visible context. */
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
  readonly write: boolean;
}

const LOAD_ACQUIRE = 0x100;

/**
 * Is the instruction at `pc` an access to the context, and a legal one? Undefined when it accesses
 * something else; a refusal with the verifier's text when it accesses the context in a way that cannot
 * be rewritten.
 */
export function judgeCtxAccess(
  view: DataView,
  pc: InsnIndex,
  fn: number,
  state: State,
  progType: ProgType,
): CtxUse | Refusal | undefined {
  if (progType === 'raw') return undefined;
  const at = pc * INSN_SIZE;
  const opcode = view.getUint8(at);
  const cls = opcode & 7;
  if (cls < 1 || cls > 3) return undefined;
  const regs = view.getUint8(at + 1);
  const imm = view.getInt32(at + 4, true);
  const isAtomic = cls === 3 && (opcode & 0xe0) === 0xc0;
  const write = isAtomic ? imm !== LOAD_ACQUIRE : cls !== 1;
  const base = cls === 1 || (isAtomic && !write) ? regs >> 4 : regs & 15;
  const pointer = regValue(state, base, fn);
  const kind = kindOf(pointer);
  if (kind !== KIND_CTX && kind !== CTX_VAR && kind !== CONFLICT) return undefined;
  const refuse = (message: string): Refusal => ({ pc, message });
  if (kind === CONFLICT) return refuse('same insn cannot be used with different pointers');
  if (isAtomic) {
    return refuse(`BPF_ATOMIC ${write ? 'stores into' : 'loads from'} R${base} ctx is not allowed`);
  }
  if (kind === CTX_VAR) {
    return refuse('variable ctx access var_off=(0x0; 0xffffffffffffffff) disallowed');
  }
  const moved = ctxOffset(pointer);
  if (moved < 0) return refuse(`negative offset ctx ptr R${base} off=${moved} disallowed`);
  if (moved > 0) return refuse(`dereference of modified ctx ptr R${base} off=${moved} disallowed`);
  const offset = view.getInt16(at + 2, true);
  const size = accessSize(opcode);
  const signed = (opcode & 0xe0) === 0x80;
  const resolved = resolveCtxAccess(progType, { offset, size, write, signed });
  if ('refusal' in resolved) return refuse(resolved.refusal);
  return { pc, field: resolved.field, offset, size, write };
}

/** Does the instruction at `pc` access memory through a pointer that is not the context? */
export function accessesOther(view: DataView, pc: InsnIndex, owner: number, state: State): boolean {
  const at = pc * INSN_SIZE;
  const opcode = view.getUint8(at);
  const cls = opcode & 7;
  if (cls < 1 || cls > 3) return false;
  const regs = view.getUint8(at + 1);
  const acquire = cls === 3 && (opcode & 0xe0) === 0xc0 && view.getInt32(at + 4, true) === LOAD_ACQUIRE;
  const pointer = regValue(state, cls === 1 || acquire ? regs >> 4 : regs & 15, owner);
  return isPointer(pointer) && !isCtx(pointer);
}

/**
 * Names the registers that the instruction at `pc` reads although no path (`always`), or not every path,
 * has given them a value. Helper calls read the arguments that the helper has; local calls read none, as
 * what a function does not get it may still not use; `exit` of a subprogram hands R0 on unread.
 */
export function missingRegisters(
  insns: Uint8Array,
  pc: InsnIndex,
  fn: number,
  state: State,
  tell: (reg: number, always: boolean) => void,
): void {
  if ((state.must & 0x3ff) === 0x3ff) return;
  const decoded = decodeInsn(insns, pc);
  const { row } = decoded;
  let reads: readonly number[];
  if (row?.id === 'call_helper') {
    const proto = helperById(decoded.insn.imm);
    reads = (proto?.args ?? []).map((_, i) => i + 1);
  } else if (row?.flow === 'call') {
    reads = [];
  } else if (row?.flow === 'exit') {
    reads = fn === 0 ? [0] : [];
  } else {
    reads = insnReads(decoded);
  }
  for (const reg of reads) {
    if (reg >= BPF_REG_FP || state.must & (1 << reg)) continue;
    tell(reg, (state.may & (1 << reg)) === 0);
  }
}
