import { freeMap } from '../maps/create.ts';
import type { Machine } from '../vm/machine.ts';
import type { BpfProg, BpfProgShell } from './prog.ts';

/**
 * Gives back everything a program object holds: the maps it created, auxiliary part, statistics, entry
 * counters, its place among the machine's programs. Mirrors `__bpf_prog_free`, kernel/bpf/core.c, and the
 * release of its maps before it. Throws RangeError when the object was freed before.
 */
export function bpfProgFree(machine: Machine, prog: BpfProgShell | BpfProg): void {
  if (prog.freed) throw new RangeError('this program has been freed before');
  prog.freed = true;
  if ('id' in prog && machine.progs.get(prog.id) === prog) machine.progs.delete(prog.id);
  for (const map of prog.aux.ownMaps) freeMap(machine, map);
  prog.aux.ownMaps = [];
  if (prog.stats !== 0) machine.memory.free(prog.stats);
  prog.stats = 0;
  machine.memory.free(prog.active);
  machine.memory.free(prog.aux.block);
}
