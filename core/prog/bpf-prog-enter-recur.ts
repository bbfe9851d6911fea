import type { Machine } from '../vm/machine.ts';
import type { BpfProgShell } from './prog.ts';
import { countMiss } from './stats.ts';

const COUNTER_SIZE = 4;

/**
 * Whether CPU `cpu` may enter the program: not while it is in it already. A refused entry counts as a
 * miss. Whatever the answer, `bpfProgExitRecur` must follow. Mirrors `__bpf_prog_enter_recur`,
 * kernel/bpf/trampoline.c, and the guard of raw tracepoints (`bpf-trace-run.ts`); XDP, tc and socket filter programs are
 * entered without it.
 */
export function bpfProgEnterRecur(machine: Machine, prog: BpfProgShell, cpu: number): boolean {
  const before = Atomics.add(machine.memory.words, counter(machine, prog, cpu), 1);
  if (before === 0) return true;
  countMiss(machine, prog, cpu);
  return false;
}

/** Ends what `bpfProgEnterRecur` began, refused or not. Mirrors `__bpf_prog_exit_recur`. */
export function bpfProgExitRecur(machine: Machine, prog: BpfProgShell, cpu: number): void {
  Atomics.sub(machine.memory.words, counter(machine, prog, cpu), 1);
}

/** Index of CPU `cpu`'s word. Throws RangeError for a CPU or a program that is not there. */
function counter(machine: Machine, prog: BpfProgShell, cpu: number): number {
  if (prog.active === 0) throw new RangeError('this program object has no entry counters any more');
  return (prog.active + machine.cpu(cpu).index * COUNTER_SIZE) >> 2;
}
