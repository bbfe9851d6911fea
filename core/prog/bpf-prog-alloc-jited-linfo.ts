import type { Machine } from '../vm/machine.ts';
import { kzalloc } from './kernel-memory.ts';
import { auxOf, type BpfProgShell } from './prog.ts';

/** Bytes of one native address. */
export const JITED_LINFO_SIZE = 8;

/**
 * Makes the table that `bpfProgFillJitedLinfo` fills, one address for each line record. Without line info,
 * or where no native code is wanted, there is none. Mirrors `bpf_prog_alloc_jited_linfo`,
 * kernel/bpf/core.c. Throws MemoryLimitError.
 */
export function bpfProgAllocJitedLinfo(machine: Machine, prog: BpfProgShell): void {
  const nrLinfo = prog.code.linfo.length;
  if (nrLinfo === 0 || !prog.jitRequested) {
    machine.lifeCycle.note('bpf_prog_alloc_jited_linfo', nrLinfo === 0 ? 'no line info' : 'no JIT requested');
    return;
  }
  machine.lifeCycle.note('bpf_prog_alloc_jited_linfo', `${nrLinfo} line records`);
  auxOf(prog).jitedLinfo = kzalloc(machine, nrLinfo * JITED_LINFO_SIZE);
}

/** Native addresses of the line records, in their order; undefined: there is no table. */
export function jitedLinfo(machine: Machine, prog: BpfProgShell): bigint[] | undefined {
  const at = auxOf(prog).jitedLinfo;
  if (at === 0) return undefined;
  const { view } = machine.memory;
  return prog.code.linfo.map((_, i) => view.getBigUint64(at + i * JITED_LINFO_SIZE, true));
}
