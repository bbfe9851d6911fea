import { INSN_SIZE, type InsnIndex, readInsn } from '../../isa/insn.ts';
import { BPF_PSEUDO_CALL, OP_CALL } from '../../isa/opcodes.ts';
import { calleeOf } from './callee.ts';

const OP_TAIL_CALL = 0xf5;
const FUNC_TAIL_CALL = 12;

/**
 * For each function whether it makes a tail call or calls, through others too, a function that does. The verifier
 * looks before it removes code that no path reaches: `insns` should be the program as loaded; of a rewritten
 * one the answer is that of what is left.
 */
export function tailCallReach(insns: Uint8Array, funcs: readonly InsnIndex[]): readonly boolean[] {
  const reach = funcs.map(() => false);
  const callers = funcs.map((): number[] => []);
  const indexOf = new Map(funcs.map((start, i) => [start, i]));
  const isFunction = (slot: InsnIndex): boolean => indexOf.has(slot);
  const work: number[] = [];
  let func = 0;
  const n = insns.length / INSN_SIZE;
  for (let slot = 0; slot < n; slot++) {
    while (slot >= (funcs[func + 1] ?? n)) func++;
    const opcode = insns[slot * INSN_SIZE];
    if (opcode === 0x18) slot++;
    if (opcode !== OP_CALL && opcode !== OP_TAIL_CALL) continue;
    const { src, off, imm } = readInsn(insns, slot);
    if (opcode === OP_TAIL_CALL || (src === 0 && imm === FUNC_TAIL_CALL)) {
      if (!reach[func]) work.push(func);
      reach[func] = true;
    } else if (src === BPF_PSEUDO_CALL) {
      const callee = indexOf.get(calleeOf(slot, off, imm, funcs, isFunction) ?? -1);
      if (callee !== undefined) callers[callee]?.push(func);
    }
  }
  for (let callee = work.pop(); callee !== undefined; callee = work.pop()) {
    for (const caller of callers[callee] ?? []) {
      if (!reach[caller]) work.push(caller);
      reach[caller] = true;
    }
  }
  return reach;
}
