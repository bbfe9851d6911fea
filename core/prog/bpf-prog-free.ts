import { freeMap } from '../maps/create.ts';
import type { Machine } from '../vm/machine.ts';
import { kfree, vfree } from './kernel-memory.ts';
import type { BpfProg, BpfProgShell } from './prog.ts';

/**
 * Gives back a program object with what it still owns: auxiliary part, statistics, entry counters, pages.
 * Mirrors `__bpf_prog_free`, kernel/bpf/core.c. Throws RangeError when it was freed before.
 */
export function rawBpfProgFree(machine: Machine, prog: BpfProgShell): void {
  if (prog.freed) throw new RangeError('this program has been freed before; a program object is freed once');
  machine.lifeCycle.note('__bpf_prog_free', prog.aux === undefined ? 'the object alone' : '');
  prog.freed = true;
  if (prog.aux !== undefined) kfree(machine, prog.aux.block);
  prog.aux = undefined;
  kfree(machine, prog.stats);
  prog.stats = 0;
  kfree(machine, prog.active);
  prog.active = 0;
  vfree(machine, prog.base, prog.pages);
}

/**
 * Unloads a program: its place among the machine's programs, the maps it created, its tables, then the
 * object. Mirrors `bpf_prog_free`, kernel/bpf/core.c, and what its deferred part does.
 * Throws RangeError when it was freed before.
 */
export function bpfProgFree(machine: Machine, prog: BpfProgShell | BpfProg): void {
  if (!prog.freed) {
    machine.lifeCycle.note('bpf_prog_free', 'name' in prog ? prog.name : '');
    if ('id' in prog && machine.progs.get(prog.id) === prog) machine.progs.delete(prog.id);
    const { aux } = prog;
    if (aux !== undefined) {
      for (const map of aux.ownMaps) freeMap(machine, map);
      aux.ownMaps = [];
      kfree(machine, aux.jitedLinfo);
      aux.jitedLinfo = 0;
      kfree(machine, aux.kfuncTab);
      aux.kfuncTab = 0;
    }
  }
  rawBpfProgFree(machine, prog);
}
