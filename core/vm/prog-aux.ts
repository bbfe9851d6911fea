import type { Machine } from './machine.ts';
import { withMutex } from './mutex.ts';
import type { ExecProg } from './program.ts';

/**
 * The words of a program's auxiliary part that others than its owner look at (`struct bpf_prog_aux`), from
 * the block's byte address, u32 each. The first three are mutexes (`mutex.ts`).
 *
 *     +0   used_maps_mutex   guards the list of maps
 *     +4   ext_mutex         guards the two words at +12
 *     +8   dst_mutex         guards which program this one extends
 *     +12  prog_array_member_cnt   places in program arrays that hold it
 *     +16  is_extended             a function of it is replaced by an extension
 *     +20  used_map_cnt            maps in the list
 *     +24  used_maps               byte address of the list, a map id (u32) each; 0: none
 *     +28  refcnt                  who holds it: 1 for whoever loaded it
 *     +32  dst_prog                id of the program that it extends; 0: none
 */
export const AUX_USED_MAPS_MUTEX = 0;
export const AUX_EXT_MUTEX = 4;
export const AUX_DST_MUTEX = 8;
export const AUX_PROG_ARRAY_MEMBER_CNT = 12;
export const AUX_IS_EXTENDED = 16;
export const AUX_USED_MAP_CNT = 20;
export const AUX_USED_MAPS = 24;
export const AUX_REFCNT = 28;
export const AUX_DST_PROG = 32;
export const AUX_SIZE = 36;

/** What has such a block. */
export interface HasAux {
  readonly aux?: { readonly block: number } | undefined;
}

/** One of the words. Throws RangeError for a program object that has no auxiliary part any more. */
export function auxWord(machine: Machine, prog: HasAux, field: number): number {
  return machine.memory.view.getUint32(blockOf(prog) + field, true);
}

/** Sets one of the words (unsigned 32 bits). Throws as `auxWord`. */
export function setAuxWord(machine: Machine, prog: HasAux, field: number, value: number): void {
  machine.memory.view.setUint32(blockOf(prog) + field, value, true);
}

/** Does `work` under one of the three mutexes, as the thread that drives the machine. Throws as `mutexLock`. */
export function withAuxMutex<T>(machine: Machine, prog: HasAux, mutex: number, work: () => T): T {
  return withMutex(() => machine.memory.words, blockOf(prog) + mutex, machine.thread, work);
}

/**
 * Notes that `prog` is put into a program array; false, and nothing noted, when an extension replaces one of
 * its functions: the two together could call each other without end. Mirrors what `prog_fd_array_get_ptr`
 * (kernel/bpf/arraymap.c) does under `ext_mutex`.
 */
export function enterProgArray(machine: Machine, prog: ExecProg): boolean {
  if (prog.aux === undefined) return true;
  return withAuxMutex(machine, prog, AUX_EXT_MUTEX, () => {
    if (auxWord(machine, prog, AUX_IS_EXTENDED) !== 0) return false;
    const count = auxWord(machine, prog, AUX_PROG_ARRAY_MEMBER_CNT);
    setAuxWord(machine, prog, AUX_PROG_ARRAY_MEMBER_CNT, count + 1);
    return true;
  });
}

/** Notes that `prog` is taken out of a program array. Mirrors `prog_fd_array_put_ptr`. */
export function leaveProgArray(machine: Machine, prog: ExecProg): void {
  if (prog.aux === undefined) return;
  withAuxMutex(machine, prog, AUX_EXT_MUTEX, () => {
    const count = auxWord(machine, prog, AUX_PROG_ARRAY_MEMBER_CNT);
    setAuxWord(machine, prog, AUX_PROG_ARRAY_MEMBER_CNT, count - 1);
  });
}

function blockOf(prog: HasAux): number {
  if (prog.aux === undefined) throw new RangeError('this program object has given its auxiliary part away');
  return prog.aux.block;
}
