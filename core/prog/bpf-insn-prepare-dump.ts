import { WIDE_OPCODE } from '../isa/decode.ts';
import { BPF_FUNC_TAIL_CALL } from '../isa/helper-ids.ts';
import { INSN_SIZE, readInsn, writeInsn } from '../isa/insn.ts';
import { BPF_PSEUDO_CALL, BPF_PSEUDO_FUNC, OP_CALL, OP_TAIL_CALL } from '../isa/opcodes.ts';
import { call } from './emit.ts';
import type { Code } from './prog.ts';

/**
 * A rewritten program as the kernel shows it to user space (BPF_OBJ_GET_INFO_BY_FD, `bpftool prog dump xlated`),
 * 8 bytes a slot: a tail call is the helper's number again; a local call has the function's index in `imm`
 * and the distance, as far as 16 bits hold it, in `off`; the address of a function has its index in its second
 * `imm`. Maps are ids, helpers addresses minus `__bpf_call_base`, as in `code`. Mirrors `bpf_insn_prepare_dump`
 * (kernel/bpf/syscall.c) and what `jit_subprogs` (kernel/bpf/verifier.c) leaves behind.
 */
export function bpfInsnPrepareDump(code: Code): Uint8Array<ArrayBuffer> {
  const insns = code.insns.slice();
  const indexOf = new Map(code.funcs.map((slot, i) => [slot, i]));
  for (let slot = 0; slot * INSN_SIZE < insns.length; slot++) {
    const insn = readInsn(insns, slot);
    const target = indexOf.get(slot + 1 + insn.imm) ?? 0;
    if (insn.opcode === OP_TAIL_CALL) writeInsn(insns, slot, call(BPF_FUNC_TAIL_CALL));
    else if (insn.opcode === OP_CALL && insn.src === BPF_PSEUDO_CALL) {
      writeInsn(insns, slot, { ...insn, off: (insn.imm << 16) >> 16, imm: target });
    } else if (insn.opcode === WIDE_OPCODE && insn.src === BPF_PSEUDO_FUNC) {
      writeInsn(insns, slot + 1, { ...readInsn(insns, slot + 1), imm: target });
    }
    if (insn.opcode === WIDE_OPCODE) slot++;
  }
  return insns;
}
