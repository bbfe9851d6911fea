import type { Machine } from '../vm/machine.ts';
import type { BpfProgShell } from './prog.ts';

/** Bytes of a page. */
const PAGE_SIZE = 4096;
/** Bytes of `struct bpf_prog` before its instructions, Linux 6.18. */
const BPF_PROG_HEADER = 0x48 + 8;

const LOCKS_SIZE = 12;

/**
 * The skeleton of a program object for `nInsns` instructions, without statistics: whole pages, the
 * auxiliary part with its three locks, the per-CPU entry counters. Mirrors
 * `bpf_prog_alloc_no_stats`, kernel/bpf/core.c. What was taken is given back when a later part cannot be
 * had. Throws MemoryLimitError.
 */
export function bpfProgAllocNoStats(machine: Machine, nInsns: number): BpfProgShell {
  const { memory } = machine;
  const block = memory.alloc(LOCKS_SIZE, 4);
  let active: number;
  try {
    active = memory.alloc(4 * machine.cpus.length, 4);
  } catch (error) {
    memory.free(block);
    throw error;
  }
  return {
    pages: Math.ceil((BPF_PROG_HEADER + nInsns * 8) / PAGE_SIZE),
    aux: { usedMapsMutex: block, extMutex: block + 4, dstMutex: block + 8, block, ownMaps: [] },
    active,
    stats: 0,
    jitRequested: false,
    blindingRequested: false,
    freed: false,
  };
}
