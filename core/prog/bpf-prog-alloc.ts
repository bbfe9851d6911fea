import type { Machine } from '../vm/machine.ts';
import { bpfProgAllocNoStats } from './bpf-prog-alloc-no-stats.ts';
import { rawBpfProgFree } from './bpf-prog-free.ts';
import type { BpfProgShell } from './prog.ts';
import { allocStats } from './stats.ts';

/**
 * A program object for `nInsns` instructions with per-CPU statistics. Mirrors `bpf_prog_alloc`,
 * kernel/bpf/core.c: without room for the statistics the whole object is given back.
 * Throws MemoryLimitError.
 */
export function bpfProgAlloc(machine: Machine, nInsns: number): BpfProgShell {
  machine.lifeCycle.note('bpf_prog_alloc', `${nInsns} instructions`);
  const prog = bpfProgAllocNoStats(machine, nInsns);
  try {
    prog.stats = allocStats(machine);
  } catch (error) {
    rawBpfProgFree(machine, prog);
    throw error;
  }
  return prog;
}
