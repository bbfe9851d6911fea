import type { Machine } from '../vm/machine.ts';
import { rawBpfProgFree } from './bpf-prog-free.ts';
import { bpfProgSize } from './code.ts';
import { PAGE_SIZE, vzalloc } from './kernel-memory.ts';
import type { BpfProgShell } from './prog.ts';

/**
 * A program object with room for `nInsns` instructions that holds what `old` held. As long as the number
 * of pages does not grow that is `old` itself; else a new object takes over auxiliary part, statistics
 * and entry counters, and `old` is freed without them. Mirrors `bpf_prog_realloc`, kernel/bpf/core.c.
 *
 * Throws MemoryLimitError; then `old` is as it was.
 */
export function bpfProgRealloc(machine: Machine, old: BpfProgShell, nInsns: number): BpfProgShell {
  const pages = Math.ceil(bpfProgSize(nInsns) / PAGE_SIZE);
  if (pages <= old.pages) {
    machine.lifeCycle.note('bpf_prog_realloc', `${nInsns} instructions fit`);
    return old;
  }
  machine.lifeCycle.note('bpf_prog_realloc', `${nInsns} instructions: ${old.pages} → ${pages} pages`);
  const base = vzalloc(machine, pages);
  machine.memory.bytes.copyWithin(base, old.base, old.base + old.pages * PAGE_SIZE);
  const prog: BpfProgShell = { ...old, base, pages };
  if (prog.aux) prog.aux.prog = prog;
  disown(old);
  rawBpfProgFree(machine, old);
  return prog;
}

/** Takes from an object what another one owns from now on, so that freeing it leaves that alone. */
export function disown(prog: BpfProgShell): void {
  prog.aux = undefined;
  prog.stats = 0;
  prog.active = 0;
}
