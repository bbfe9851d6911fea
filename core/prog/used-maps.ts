import { WIDE_OPCODE } from '../isa/decode.ts';
import { INSN_SIZE, readInsn } from '../isa/insn.ts';
import {
  BPF_PSEUDO_MAP_FD,
  BPF_PSEUDO_MAP_IDX,
  BPF_PSEUDO_MAP_IDX_VALUE,
  BPF_PSEUDO_MAP_VALUE,
} from '../isa/opcodes.ts';
import type { Machine } from '../vm/machine.ts';
import {
  AUX_USED_MAP_CNT,
  AUX_USED_MAPS,
  AUX_USED_MAPS_MUTEX,
  auxWord,
  setAuxWord,
  withAuxMutex,
} from '../vm/prog-aux.ts';
import { kfree, kzalloc } from './kernel-memory.ts';
import type { BpfProgShell } from './prog.ts';

const ID_SIZE = 4;
const NAMES_A_MAP: ReadonlySet<number> = new Set([
  BPF_PSEUDO_MAP_FD,
  BPF_PSEUDO_MAP_VALUE,
  BPF_PSEUDO_MAP_IDX,
  BPF_PSEUDO_MAP_IDX_VALUE,
]);

/** The maps that a program as loaded names, by index, each once, in the order in which it names them. */
export function namedMaps(insns: Uint8Array): number[] {
  const found = new Set<number>();
  for (let pc = 0; (pc + 1) * INSN_SIZE <= insns.length; pc++) {
    const insn = readInsn(insns, pc);
    // The second slot of a wide instruction has opcode 0.
    if (insn.opcode === WIDE_OPCODE && NAMES_A_MAP.has(insn.src)) found.add(insn.imm);
  }
  return [...found];
}

/**
 * Makes the program's list of maps, in memory of its own: ids, in the order given. A list that it had is given
 * back. The caller holds `used_maps_mutex`, or is the program's only one. Throws MemoryLimitError, the list as
 * it was.
 */
export function setUsedMaps(machine: Machine, prog: BpfProgShell, ids: readonly number[]): void {
  const list = ids.length === 0 ? 0 : kzalloc(machine, ids.length * ID_SIZE);
  ids.forEach((id, i) => {
    machine.memory.view.setUint32(list + i * ID_SIZE, id, true);
  });
  kfree(machine, auxWord(machine, prog, AUX_USED_MAPS));
  setAuxWord(machine, prog, AUX_USED_MAPS, list);
  setAuxWord(machine, prog, AUX_USED_MAP_CNT, ids.length);
}

/**
 * Ids of the maps that the program uses, those that were bound to it behind those that it names. Taken under
 * `used_maps_mutex`, as `bpf_prog_get_info_by_fd` (kernel/bpf/syscall.c) does. Throws as `withAuxMutex`.
 */
export function usedMapIds(machine: Machine, prog: BpfProgShell): number[] {
  return withAuxMutex(machine, prog, AUX_USED_MAPS_MUTEX, () => readUsedMaps(machine, prog));
}

/** The same for a caller that holds the mutex, or is the program's only one. */
export function readUsedMaps(machine: Machine, prog: BpfProgShell): number[] {
  const list = auxWord(machine, prog, AUX_USED_MAPS);
  const count = auxWord(machine, prog, AUX_USED_MAP_CNT);
  const { view } = machine.memory;
  return Array.from({ length: count }, (_, i) => view.getUint32(list + i * ID_SIZE, true));
}

/** Gives the list back. Mirrors the part of `bpf_free_used_maps`, kernel/bpf/core.c, that is about the list. */
export function freeUsedMaps(machine: Machine, prog: BpfProgShell): void {
  setUsedMaps(machine, prog, []);
}
