import type { Machine } from '../vm/machine.ts';
import { rawBpfProgFree } from './bpf-prog-free.ts';
import { disown } from './bpf-prog-realloc.ts';
import { PAGE_SIZE, vzalloc } from './kernel-memory.ts';
import { auxOf, type BpfProgShell } from './prog.ts';

/**
 * A copy of a program object to try changes on. It shares auxiliary part, statistics and counters with
 * `other`; one of the two must be released with `bpfJitProgReleaseOther`. Mirrors
 * `bpf_prog_clone_create`, kernel/bpf/core.c. Throws MemoryLimitError.
 */
export function bpfProgCloneCreate(machine: Machine, other: BpfProgShell): BpfProgShell {
  machine.lifeCycle.note('bpf_prog_clone_create');
  const base = vzalloc(machine, other.pages);
  machine.memory.bytes.copyWithin(base, other.base, other.base + other.pages * PAGE_SIZE);
  return { ...other, base };
}

/** Frees a clone, or the original of one, but nothing that the two share. Mirrors `bpf_prog_clone_free`. */
export function bpfProgCloneFree(machine: Machine, prog: BpfProgShell): void {
  machine.lifeCycle.note('bpf_prog_clone_free');
  disown(prog);
  rawBpfProgFree(machine, prog);
}

/** Keeps `prog` of a program and its clone and frees `other`. Mirrors `bpf_jit_prog_release_other`. */
export function bpfJitProgReleaseOther(machine: Machine, prog: BpfProgShell, other: BpfProgShell): void {
  machine.lifeCycle.note('bpf_jit_prog_release_other');
  auxOf(prog).prog = prog;
  bpfProgCloneFree(machine, other);
}
