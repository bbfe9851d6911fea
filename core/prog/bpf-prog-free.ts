import { freeMap } from '../maps/create.ts';
import type { Machine } from '../vm/machine.ts';
import { mutexIsLocked } from '../vm/mutex.ts';
import { AUX_DST_PROG, AUX_REFCNT, auxWord } from '../vm/prog-aux.ts';
import { bpfProgDec } from './bpf-prog-inc.ts';
import { kfree, vfree } from './kernel-memory.ts';
import type { BpfProg, BpfProgShell } from './prog.ts';
import { freeUsedMaps } from './used-maps.ts';

/**
 * Gives back a program object with what it still owns: auxiliary part, statistics, entry counters, pages.
 * Mirrors `__bpf_prog_free`, kernel/bpf/core.c. Throws RangeError when it was freed before.
 */
export function rawBpfProgFree(machine: Machine, prog: BpfProgShell): void {
  if (prog.freed) throw new RangeError('this program has been freed before; a program object is freed once');
  checkMutexes(machine, prog);
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

/** As `mutex_destroy` of a kernel that looks for misuse. */
function checkMutexes(machine: Machine, { aux }: BpfProgShell): void {
  if (aux === undefined) return;
  const mutexes = { used_maps_mutex: aux.usedMapsMutex, ext_mutex: aux.extMutex, dst_mutex: aux.dstMutex };
  for (const [name, at] of Object.entries(mutexes)) {
    if (mutexIsLocked(machine.memory.words, at))
      throw new RangeError(`this program is freed while its ${name} is held`);
  }
}

/**
 * Unloads a program: its place among the machine's programs, the program that it extends, the maps it
 * created, its tables, then the object. Mirrors `bpf_prog_free`, kernel/bpf/core.c, and what its deferred part
 * does. Throws RangeError, and frees nothing, when it was freed before, when others hold it still
 * (`bpfProgPut` is for those), or when one of its locks is held.
 */
export function bpfProgFree(machine: Machine, prog: BpfProgShell | BpfProg): void {
  if (!prog.freed) {
    checkMutexes(machine, prog);
    checkHolders(machine, prog);
    machine.lifeCycle.note('bpf_prog_free', 'name' in prog ? prog.name : '');
    if ('id' in prog && machine.progs.get(prog.id) === prog) machine.progs.delete(prog.id);
    const { aux } = prog;
    if (aux !== undefined) {
      putDstProg(machine, prog);
      freeUsedMaps(machine, prog);
      for (const map of aux.ownMaps) freeMap(machine, map);
      kfree(machine, aux.jitedLinfo);
      kfree(machine, aux.kfuncTab);
    }
  }
  rawBpfProgFree(machine, prog);
}

/**
 * One holds the program no longer; the last one frees it. Mirrors `bpf_prog_put`, kernel/bpf/syscall.c.
 * Throws RangeError for a program that has been freed.
 */
export function bpfProgPut(machine: Machine, prog: BpfProgShell | BpfProg): void {
  if (bpfProgDec(machine, prog)) bpfProgFree(machine, prog);
}

function checkHolders(machine: Machine, prog: BpfProgShell | BpfProg): void {
  if (prog.aux === undefined) return;
  const holders = auxWord(machine, prog, AUX_REFCNT);
  if (holders <= 1) return;
  const name = 'name' in prog ? prog.name : 'this program';
  throw new RangeError(`${name} is held by ${holders}: its extensions and links have to go first`);
}

/** An extension that was never attached holds its target still. */
function putDstProg(machine: Machine, prog: BpfProgShell): void {
  const target = machine.progs.get(auxWord(machine, prog, AUX_DST_PROG));
  if (target !== undefined) bpfProgPut(machine, target as BpfProg);
}
