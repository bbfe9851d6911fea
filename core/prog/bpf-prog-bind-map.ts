import { EBADF, EINVAL, ENOMEM } from '../maps/errno.ts';
import type { Machine } from '../vm/machine.ts';
import type { BpfMap } from '../vm/map.ts';
import { MemoryLimitError } from '../vm/memory.ts';
import { AUX_USED_MAPS_MUTEX, withAuxMutex } from '../vm/prog-aux.ts';
import type { BpfProg } from './prog.ts';
import { readUsedMaps, setUsedMaps } from './used-maps.ts';

/**
 * Adds a map of any type to those that a loaded program uses, although the program does not name it: who
 * looks at the program finds it. A map that is there already stays as it is. Mirrors `bpf_prog_bind_map`
 * (BPF_PROG_BIND_MAP), kernel/bpf/syscall.c, in what it takes and gives: 0; −EINVAL for `flags` that are not
 * 0; −EBADF for a program or a map that the machine does not have; −ENOMEM, everything as it was.
 *
 * Whoever has made the map frees it. Throws as `mutexLock` when `used_maps_mutex` is misused.
 */
export function bpfProgBindMap(machine: Machine, prog: BpfProg, map: BpfMap, flags = 0): number {
  const errno = bind(machine, prog, map, flags);
  machine.lifeCycle.note('bpf_prog_bind_map', `map ${map.def.name}${errno === 0 ? '' : `: errno ${-errno}`}`);
  return errno;
}

function bind(machine: Machine, prog: BpfProg, map: BpfMap, flags: number): number {
  if (flags !== 0) return -EINVAL;
  if (machine.progs.get(prog.id) !== prog || machine.maps.get(map.id) !== map) return -EBADF;
  return withAuxMutex(machine, prog, AUX_USED_MAPS_MUTEX, () => {
    const before = readUsedMaps(machine, prog);
    if (before.includes(map.id)) return 0;
    try {
      setUsedMaps(machine, prog, [...before, map.id]);
    } catch (error) {
      if (!(error instanceof MemoryLimitError)) throw error;
      return -ENOMEM;
    }
    return 0;
  });
}
