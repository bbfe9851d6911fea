import type { Machine } from '../vm/machine.ts';
import { AUX_REFCNT } from '../vm/prog-aux.ts';
import { auxOf, type BpfProgShell } from './prog.ts';

/** How many hold the program: whoever loaded it, extensions of it, links. Throws RangeError for a freed one. */
export function bpfProgRefcnt(machine: Machine, prog: BpfProgShell): number {
  return Atomics.load(machine.memory.words, word(prog));
}

/** One more holds the program. Mirrors `bpf_prog_inc`, kernel/bpf/syscall.c. */
export function bpfProgInc(machine: Machine, prog: BpfProgShell): void {
  Atomics.add(machine.memory.words, word(prog), 1);
}

/** One holds it no longer; whether that was the last one. The caller frees it then. */
export function bpfProgDec(machine: Machine, prog: BpfProgShell): boolean {
  return Atomics.sub(machine.memory.words, word(prog), 1) === 1;
}

function word(prog: BpfProgShell): number {
  return (auxOf(prog).block + AUX_REFCNT) >> 2;
}
