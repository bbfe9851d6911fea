import { HelperCall } from '../helpers/args.ts';
import { type Decoded, decodeInsn, WIDE_OPCODE } from '../isa/decode.ts';
import { BPF_FUNC_MAP_LOOKUP_ELEM } from '../isa/helper-ids.ts';
import { INSN_SIZE } from '../isa/insn.ts';
import type { InsnId } from '../isa/table.ts';
import { mapAtAddr } from '../maps/header.ts';
import { BPF_ARRAY_VALUE } from '../maps/kernel-layout.ts';
import { MAX_BPF_STACK, PERM_READ, PERM_WRITE } from '../vm/layout.ts';
import type { ExecProg } from '../vm/program.ts';
import { enterHelper, mayGotoSlot } from './kernel-functions.ts';
import { type ExecState, type Handler, hi, lo, type Op, STOP, set } from './op.ts';

/** Register bits of R1 … R5, which no call keeps. */
const ARGUMENTS = 0x3e;

/** What a slot is a part of. */
export interface Origin {
  /** The instruction as loaded; undefined: the slot is that instruction itself. */
  readonly original: Decoded | undefined;
  readonly cost: 0 | 1;
  readonly begun: 0 | 1;
}

const ITSELF: Origin = { original: undefined, cost: 1, begun: 1 };

/** Where slot `slot` of a program comes from. */
export function originOf(prog: ExecProg, slot: number): Origin {
  const { insns, firstXlated } = prog;
  const orig = prog.origIdx[slot];
  if (insns === undefined || firstXlated === undefined || orig === undefined) return ITSELF;
  const entry = firstXlated[orig] ?? slot;
  const isWide = insns[orig * INSN_SIZE] === WIDE_OPCODE;
  const length = isWide ? 2 : 1;
  // One instruction for one: nothing that could not be seen in the slot itself.
  if (slot === entry && (firstXlated[orig + length] ?? 0) - entry === length) return ITSELF;
  return {
    original: decodeInsn(insns, orig),
    cost: slot === entry ? 1 : 0,
    begun: slot < entry ? 0 : 1,
  };
}

/**
 * The load in the middle of a helper call that was replaced by what the helper does: the call's arguments
 * have no value afterwards, and where the key of a map cannot be read, the helper's words say so.
 */
export function inlinedLoad(helper: number, load: Handler): Handler {
  return (s, op) => {
    const next = load(s, op);
    if (next !== STOP) s.initialised &= ~ARGUMENTS;
    else if (helper === BPF_FUNC_MAP_LOOKUP_ELEM) refuseKey(s, op);
    return next;
  };
}

/** R1 points to the first value by now, R2 to the key. */
function refuseKey(s: ExecState, op: Op): void {
  enterHelper(s, op);
  const call = new HelperCall(BPF_FUNC_MAP_LOOKUP_ELEM, s.machine, s.cpu, s.block);
  const map = mapAtAddr(s.machine, BigInt.asUintN(64, call.u64(1) - BigInt(BPF_ARRAY_VALUE)));
  if (map === undefined) return;
  call.memory(2, map.def.keySize, 'read', `key of map ${map.def.name}`);
  if (call.fault !== undefined) s.stop = { kind: 'fault', fault: call.fault };
}

/** What reads and writes the counter of a `may_goto` in a frame that is full otherwise. */
const BELOW_FRAME: Readonly<Partial<Record<InsnId, Handler>>> = {
  ldxdw: (s, op) => {
    const at = mayGotoSlot(s, op.off, PERM_READ);
    set(s, op.dst, s.view.getInt32(at, true), s.view.getInt32(at + 4, true));
    return op.next;
  },
  stdw: (s, op) => storeBelow(s, op, op.imm, op.immHi),
  stxdw: (s, op) => storeBelow(s, op, lo(s, op.src), hi(s, op.src)),
};

function storeBelow(s: ExecState, op: Op, low: number, high: number): number {
  const at = mayGotoSlot(s, op.off, PERM_WRITE);
  s.view.setInt32(at, low, true);
  s.view.setInt32(at + 4, high, true);
  return op.next;
}

/**
 * Handler of a slot that belongs to a `may_goto` and reaches below its frame: programs cannot, but the kernel
 * gives them 16 bytes more there. Undefined for any other slot.
 */
export function belowFrame({ insn }: Decoded, id: InsnId, origin: Origin): Handler | undefined {
  const isMayGoto = origin.begun === 0 || origin.original?.row?.id === 'may_goto';
  return isMayGoto && insn.off < -MAX_BPF_STACK ? BELOW_FRAME[id] : undefined;
}
