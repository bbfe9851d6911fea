import { HelperCall } from '../helpers/args.ts';
import { HELPER_IMPLS } from '../helpers/helpers.ts';
import type { HelperImpl } from '../helpers/impl.ts';
import { skbDevType, skbPayOffset } from '../helpers/skb-extensions.ts';
import { loadPacket } from '../helpers/skb-load.ts';
import {
  BPF_FUNC_MAP_DELETE_ELEM,
  BPF_FUNC_MAP_LOOKUP_ELEM,
  BPF_FUNC_MAP_LOOKUP_PERCPU_ELEM,
  BPF_FUNC_MAP_UPDATE_ELEM,
  BPF_FUNC_TAIL_CALL,
} from '../isa/helper-ids.ts';
import { helperById } from '../isa/helpers.ts';
import { calledFunction, type InternalFunction } from '../isa/numbering.ts';
import { htabElemValue } from '../maps/kernel-layout.ts';
import { BPF_MAX_TIMED_LOOPS } from '../prog/may-goto.ts';
import type { Cpu } from '../vm/cpu.ts';
import type { Problem } from '../vm/fault.ts';
import * as layout from '../vm/layout.ts';
import type { Machine } from '../vm/machine.ts';
import { checkedLinear, checkedStore } from '../vm/region-table.ts';
import { swap16, swap32 } from './int64.ts';
import { type ExecState, fault, flush, type Handler, lo, type Op, refresh, STOP, set, set32 } from './op.ts';

/** Register bits: R0; R1 … R5. */
const R0 = 1;
const ARGUMENTS = 0x3e;
const REG_R0 = layout.regOffset(0);
const REG_R2 = layout.regOffset(2);
const REG_R10 = layout.regOffset(10);
const REG_AX = layout.regOffset(11);
const EFAULT = 14;
/** Nanoseconds that a loop with `may_goto` may take: a quarter of a second. */
const MAY_GOTO_NS = 250_000_000n;

/** What calls with this `imm` in rewritten code do; `tailCall` is the engine's own. */
export function callHandler(imm: number, tailCall: Handler): Handler {
  const found = calledFunction(imm);
  const internal = found?.helper === undefined ? HANDLER_OF.get(found?.name ?? '') : undefined;
  if (internal !== undefined) return internal;
  const id = found?.helper ?? imm;
  if (id === BPF_FUNC_TAIL_CALL) return tailCall;
  const impl = HELPER_IMPLS.get(id);
  return impl === undefined ? (s, op) => fault(s, op, unknownHelper(id)) : calling(impl);
}

/** A helper reads pc and time from memory: they count up to, not including, the call. */
export function enterHelper(s: ExecState, op: Op): void {
  flush(s, op.slot, s.chunk - s.left - op.begun);
}

function calling(impl: HelperImpl): Handler {
  return (s, op) => {
    enterHelper(s, op);
    const failure = impl(s.machine, s.cpu, s.block);
    refresh(s);
    if (failure !== undefined) {
      s.stop = { kind: 'fault', fault: failure };
      return STOP;
    }
    s.initialised = (s.initialised & ~ARGUMENTS) | R0;
    return op.next;
  };
}

/** The helper of that number; it must be simulated. */
function helper(id: number): Handler {
  const impl = HELPER_IMPLS.get(id);
  if (impl === undefined) throw new RangeError(`helper ${id} is not simulated`);
  return calling(impl);
}

/** `s64 bpf_skb_load_helper_N_no_cache(skb, offset)`: packet bytes in host order, or −EFAULT. */
function skbLoadHelper(size: 1 | 2 | 4): Handler {
  return (s, op) => {
    const found = loadPacket(s.machine, s.cpu, lo(s, REG_R2), size);
    if (typeof found === 'object') return fault(s, op, found);
    s.initialised = (s.initialised & ~ARGUMENTS) | R0;
    if (found === undefined) set(s, REG_R0, -EFAULT, -1);
    else if (size === 1) set32(s, REG_R0, s.view.getUint8(found));
    else if (size === 2) set32(s, REG_R0, swap16(s.view.getUint16(found, true)));
    else set32(s, REG_R0, swap32(s.view.getInt32(found, true)));
    return op.next;
  };
}

/** An extension of classic BPF, called with the skb in R1: 32 bits. */
function skbExtension(value: (machine: Machine, cpu: Cpu) => number | Problem): Handler {
  return (s, op) => {
    const found = value(s.machine, s.cpu);
    if (typeof found === 'object') return fault(s, op, found);
    s.initialised = (s.initialised & ~ARGUMENTS) | R0;
    set32(s, REG_R0, found);
    return op.next;
  };
}

/** `struct htab_elem *__htab_map_lookup_elem(map, key)`: the element, or where it would be. */
const htabMapLookupElem: HelperImpl = (machine, cpu, regs) => {
  const call = new HelperCall(BPF_FUNC_MAP_LOOKUP_ELEM, machine, cpu, regs);
  const map = call.map(1);
  const ops = map?.programOps;
  if (map === undefined || ops === undefined) return call.fault ?? call.refuse(1, 'must be a hash map');
  const keyAt = call.memory(2, map.def.keySize, 'read', `key of map ${map.def.name}`);
  if (keyAt === 0) return call.fault;
  if (ops.element !== undefined) return call.resultPointer(ops.element(keyAt));
  const value = ops.lookup(keyAt, cpu.index);
  return call.resultPointer(value === 0 ? 0 : value - htabElemValue(map.def.keySize));
};

/**
 * `arch_bpf_timed_may_goto`: AX holds the distance of the counter from the frame pointer and takes the
 * iterations until the next call, 0 when the loop's time is over; no other register changes. The time at
 * which the loop began stands behind the counter.
 */
const timedMayGoto: Handler = (s, op) => {
  const below = lo(s, REG_AX) + 8;
  const begin = mayGotoSlot(s, below, layout.PERM_READ);
  if (begin === 0) {
    return fault(s, op, { kind: 'out_of_bounds', message: 'may_goto: its place on the stack is gone' });
  }
  enterHelper(s, op);
  const now = s.machine.clock.nowNs(s.cpu.insnsExecuted);
  const began = s.view.getBigUint64(begin, true);
  if (began === 0n) s.view.setBigUint64(mayGotoSlot(s, below, layout.PERM_WRITE), now, true);
  const isOver = began !== 0n && now - began >= MAY_GOTO_NS;
  set(s, REG_AX, isOver ? 0 : BPF_MAX_TIMED_LOOPS, 0);
  return op.next;
};

/**
 * Linear address of the 8 bytes at `off` from the frame pointer that belong to a `may_goto`, −528 … −8; 0 when
 * they cannot be reached. Below the frame's 512 bytes they lie in its record.
 */
export function mayGotoSlot(s: ExecState, off: number, perm: number): number {
  if (off < -layout.MAX_BPF_STACK) {
    const record = layout.frameRecord(s.block, s.view.getUint32(s.block + layout.CPU_DEPTH, true));
    return record + layout.FRAME_BELOW + off + layout.MAX_BPF_STACK + layout.FRAME_BELOW_SIZE;
  }
  const high = s.view.getInt32(s.block + REG_R10 + 4, true);
  const low = lo(s, REG_R10) + off;
  return perm === layout.PERM_WRITE ? checkedStore(s, high, low, 8) : checkedLinear(s, high, low, 8, perm);
}

const INTERNAL: Readonly<Record<InternalFunction, Handler>> = {
  bpf_skb_load_helper_8_no_cache: skbLoadHelper(1),
  bpf_skb_load_helper_16_no_cache: skbLoadHelper(2),
  bpf_skb_load_helper_32_no_cache: skbLoadHelper(4),
  arch_bpf_timed_may_goto: timedMayGoto,
  __htab_map_lookup_elem: calling(htabMapLookupElem),
  array_map_update_elem: helper(BPF_FUNC_MAP_UPDATE_ELEM),
  array_map_delete_elem: helper(BPF_FUNC_MAP_DELETE_ELEM),
  htab_map_update_elem: helper(BPF_FUNC_MAP_UPDATE_ELEM),
  htab_map_delete_elem: helper(BPF_FUNC_MAP_DELETE_ELEM),
  percpu_array_map_lookup_percpu_elem: helper(BPF_FUNC_MAP_LOOKUP_PERCPU_ELEM),
  htab_percpu_map_update_elem: helper(BPF_FUNC_MAP_UPDATE_ELEM),
  htab_percpu_map_lookup_percpu_elem: helper(BPF_FUNC_MAP_LOOKUP_PERCPU_ELEM),
  bpf_skb_get_pay_offset: skbExtension(skbPayOffset),
  skb_dev_type: skbExtension(skbDevType),
};
const HANDLER_OF: ReadonlyMap<string, Handler> = new Map(Object.entries(INTERNAL));

function unknownHelper(id: number): Problem {
  const name = helperById(id)?.name;
  const message =
    name === undefined
      ? `call ${id}: no helper has the number ${id}`
      : `call ${id}: the helper ${name} (${id}) is not simulated yet`;
  return { kind: 'bad_helper', message };
}
