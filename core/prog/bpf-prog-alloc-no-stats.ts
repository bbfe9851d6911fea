import type { Machine } from '../vm/machine.ts';
import { MemoryLimitError } from '../vm/memory.ts';
import { AUX_DST_MUTEX, AUX_EXT_MUTEX, AUX_SIZE, AUX_USED_MAPS_MUTEX } from '../vm/prog-aux.ts';
import type { KernelSettings } from '../vm/settings.ts';
import { bpfProgSize, loadedCode } from './code.ts';
import { kfree, kzalloc, PAGE_SIZE, vfree, vzalloc } from './kernel-memory.ts';
import type { BpfProgShell } from './prog.ts';

const COUNTER_SIZE = 4;

/** Whether programs are compiled at all. Mirrors `ebpf_jit_enabled`, include/linux/filter.h. */
export function ebpfJitEnabled(settings: KernelSettings): boolean {
  return settings.bpfJitEnable !== 0;
}

/**
 * Whether the constants of a program are blinded: `bpf_jit_harden` 2 for everybody, 1 for those without
 * CAP_BPF; only where programs are compiled. Mirrors `bpf_jit_blinding_enabled`, include/linux/filter.h.
 */
export function bpfJitBlindingEnabled(settings: KernelSettings): boolean {
  if (!ebpfJitEnabled(settings) || settings.bpfJitHarden === 0) return false;
  return settings.bpfJitHarden === 2 || !settings.privileged;
}

/**
 * The skeleton of a program object for `nInsns` instructions, without statistics: whole zeroed pages, the
 * auxiliary part with its three locks, the per-CPU entry counters. Mirrors
 * `bpf_prog_alloc_no_stats`, kernel/bpf/core.c. What was taken is given back when a later part cannot be
 * had. Throws MemoryLimitError.
 */
export function bpfProgAllocNoStats(machine: Machine, nInsns: number): BpfProgShell {
  const size = bpfProgSize(nInsns);
  const pages = Math.ceil(size / PAGE_SIZE);
  machine.lifeCycle.note('bpf_prog_alloc_no_stats', `${size} bytes → ${plural(pages, 'page')}`);
  const base = vzalloc(machine, pages);
  let block = 0;
  let active: number;
  try {
    block = kzalloc(machine, AUX_SIZE);
    active = kzalloc(machine, COUNTER_SIZE * machine.cpus.length);
  } catch (error) {
    kfree(machine, block);
    vfree(machine, base, pages);
    if (error instanceof MemoryLimitError) machine.lifeCycle.note('bpf_prog_alloc_no_stats', 'failed');
    throw error;
  }
  const prog: BpfProgShell = {
    base,
    pages,
    aux: {
      usedMapsMutex: block + AUX_USED_MAPS_MUTEX,
      extMutex: block + AUX_EXT_MUTEX,
      dstMutex: block + AUX_DST_MUTEX,
      block,
      prog: undefined,
      ownMaps: [],
      jitedLinfo: 0,
      kfuncTab: 0,
      jitedLen: 0,
      jitedFuncs: [],
      jitedArch: undefined,
      whyInterpreted: undefined,
      tag: undefined,
    },
    active,
    stats: 0,
    jitRequested: ebpfJitEnabled(machine.settings),
    blindingRequested: bpfJitBlindingEnabled(machine.settings),
    blinded: false,
    jited: false,
    code: loadedCode(new Uint8Array(), [], [0]),
    freed: false,
  };
  if (prog.aux) prog.aux.prog = prog;
  return prog;
}

function plural(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}
