import { INSN_SIZE, type InsnIndex } from '../isa/insn.ts';
import type { LineInfo } from '../object/object.ts';
import type { Machine } from '../vm/machine.ts';
import type { BpfProgShell, Code } from './prog.ts';

/** Bytes of `struct bpf_prog` before its instructions, Linux 6.18. */
const BPF_PROG_HEADER = 0x48 + 8;

/** Bytes of a program object with `nInsns` slots. Mirrors `bpf_prog_size`, include/linux/filter.h. */
export function bpfProgSize(nInsns: number): number {
  return BPF_PROG_HEADER + nInsns * INSN_SIZE;
}

/** Byte address of the instructions in a program object. */
export function insnsi(prog: BpfProgShell): number {
  return prog.base + BPF_PROG_HEADER;
}

/** Instructions as loaded; a copy. Line records behind the end are dropped. */
export function loadedCode(insns: Uint8Array, linfo: readonly LineInfo[], funcs: readonly InsnIndex[]): Code {
  const n = insns.length / INSN_SIZE;
  return {
    insns: new Uint8Array(insns),
    origIdx: Uint32Array.from({ length: n }, (_, i) => i),
    firstNew: Uint32Array.from({ length: n + 1 }, (_, i) => i),
    linfo: linfo.filter((line) => line.insnOff < n),
    funcs,
  };
}

/** Puts instructions into the object, whose pages are enough for them. */
export function setCode(machine: Machine, prog: BpfProgShell, code: Code): void {
  prog.code = code;
  machine.memory.bytes.set(code.insns, insnsi(prog));
}
