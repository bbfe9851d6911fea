import { decodeInsn } from '../isa/decode.ts';
import {
  BPF_FUNC_SKB_STORE_BYTES,
  BPF_FUNC_XDP_ADJUST_HEAD,
  BPF_FUNC_XDP_ADJUST_META,
  BPF_FUNC_XDP_ADJUST_TAIL,
} from '../isa/helper-ids.ts';
import { INSN_SIZE } from '../isa/insn.ts';
import type { SubprogKinds } from './kinds.ts';

/**
 * Simulated helpers after which pointers into the packet are no good any more
 * (`bpf_helper_changes_pkt_data`, net/core/filter.c).
 */
const CHANGES_PKT_DATA: ReadonlySet<number> = new Set([
  BPF_FUNC_SKB_STORE_BYTES,
  BPF_FUNC_XDP_ADJUST_HEAD,
  BPF_FUNC_XDP_ADJUST_META,
  BPF_FUNC_XDP_ADJUST_TAIL,
]);

/**
 * Whether function `fn` (its index) of a program as loaded may change the packet's layout, itself or by
 * what it calls. `insns` have passed `checkProgram`, `subprogs` belong to them.
 */
export function changesPktData(insns: Uint8Array, subprogs: readonly SubprogKinds[], fn: number): boolean {
  const seen = new Set<number>();
  const todo = [fn];
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const subprog = subprogs[next];
    if (subprog === undefined || seen.has(next)) continue;
    seen.add(next);
    for (let pc = subprog.start; pc < subprog.end; ) {
      const decoded = decodeInsn(insns.subarray(0, subprog.end * INSN_SIZE), pc);
      if (decoded.row?.id === 'call_helper' && CHANGES_PKT_DATA.has(decoded.insn.imm)) return true;
      pc += decoded.length;
    }
    todo.push(...subprog.calls.map(({ callee }) => callee));
  }
  return false;
}
