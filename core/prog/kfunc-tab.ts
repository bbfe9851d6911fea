import { INSN_SIZE } from '../isa/insn.ts';
import { BPF_PSEUDO_KFUNC_CALL, OP_CALL } from '../isa/opcodes.ts';
import type { Machine } from '../vm/machine.ts';
import { kzalloc } from './kernel-memory.ts';
import { auxOf, type BpfProgShell } from './prog.ts';

const ENTRY_SIZE = 4;

/**
 * Notes the kernel functions that a program calls, by BTF id, in `kfunc_tab`, which a compiler needs and
 * `bpfProgJitAttemptDone` frees. Mirrors `add_kfunc_call`, kernel/bpf/verifier.c. Throws MemoryLimitError.
 */
export function addKfuncCalls(machine: Machine, prog: BpfProgShell): void {
  const { insns } = prog.code;
  const view = new DataView(insns.buffer);
  const ids = new Set<number>();
  for (let at = 0; at < insns.length; at += INSN_SIZE) {
    // The second slot of a wide instruction has opcode 0.
    if (view.getUint8(at) === OP_CALL && view.getUint8(at + 1) >> 4 === BPF_PSEUDO_KFUNC_CALL) {
      ids.add(view.getInt32(at + 4, true));
    }
  }
  if (ids.size === 0) return;
  const table = kzalloc(machine, ids.size * ENTRY_SIZE);
  [...ids]
    .sort((a, b) => a - b)
    .forEach((id, i) => {
      machine.memory.view.setInt32(table + i * ENTRY_SIZE, id, true);
    });
  auxOf(prog).kfuncTab = table;
}
