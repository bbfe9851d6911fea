import { WIDE_OPCODE } from '../../../isa/decode.ts';
import { INSN_SIZE, readInsn } from '../../../isa/insn.ts';
import { BPF_PSEUDO_KFUNC_CALL, OP_CALL } from '../../../isa/opcodes.ts';

/**
 * Helpers that act on more than the program's own packet, maps and context even when BPF_PROG_TEST_RUN runs it:
 * `bpf_clone_redirect` sends a packet through a device of the machine, the others reach into processes.
 */
const ACTING_HELPERS: Readonly<Record<number, string>> = {
  13: 'bpf_clone_redirect',
  36: 'bpf_probe_write_user',
  58: 'bpf_override_return',
  109: 'bpf_send_signal',
  117: 'bpf_send_signal_thread',
  166: 'bpf_sys_bpf',
  168: 'bpf_sys_close',
};

/**
 * Why a program is not for the running kernel, although that might take it; undefined for one that acts on nothing
 * but what is its own. Kernel functions (kfuncs) are told by number alone, so that any of them counts as acting.
 */
export function actsOutside(insns: Uint8Array): string | undefined {
  for (let slot = 0; (slot + 1) * INSN_SIZE <= insns.length; slot++) {
    const { opcode, src, imm } = readInsn(insns, slot);
    if (opcode === WIDE_OPCODE) slot++;
    if (opcode !== OP_CALL) continue;
    if (src === BPF_PSEUDO_KFUNC_CALL) return `instruction ${slot} calls a kernel function: ${REASON}`;
    const name = src === 0 ? ACTING_HELPERS[imm] : undefined;
    if (name !== undefined) return `instruction ${slot} calls ${name}: ${REASON}`;
  }
  return undefined;
}

const REASON = 'it may act outside of the program, and only programs that do not are run in the kernel';
