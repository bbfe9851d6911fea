import type { Machine } from '../vm/machine.ts';
import { bpfProgEnterRecur, bpfProgExitRecur } from './bpf-prog-enter-recur.ts';
import type { BpfProg } from './prog.ts';

/**
 * Fires the tracepoint that a raw tracepoint program is attached to, on CPU `cpu`: the CPU enters the
 * program under its per-CPU `active` guard, and until the function that is returned is called (at the
 * program's end, whatever it was; safe to call twice) the program stays attached. When one of its helpers
 * fires the same tracepoint meanwhile, the nested entry is refused and counted as a miss. Mirrors
 * `__bpf_trace_run`, kernel/trace/bpf_trace.c. Programs of other types are entered without any of it, as in
 * the kernel. Throws RangeError when the CPU is in the program already.
 */
export function bpfTraceRun(machine: Machine, prog: BpfProg, cpu: number): () => void {
  if (prog.progType !== 'raw_tracepoint') return () => {};
  if (!bpfProgEnterRecur(machine, prog, cpu)) {
    bpfProgExitRecur(machine, prog, cpu);
    throw new RangeError(`CPU ${cpu} is in ${prog.name} already: a run of it has not ended`);
  }
  const detach = attach(machine, prog, cpu);
  let left = false;
  return () => {
    if (left) return;
    left = true;
    detach();
    // Freed while it ran: its counters are gone with it.
    if (!prog.freed) bpfProgExitRecur(machine, prog, cpu);
  };
}

function attach(machine: Machine, prog: BpfProg, cpu: number): () => void {
  const tracepoint = prog.attr.attachTo;
  if (tracepoint === undefined) return () => {};
  return machine.tracepoints.attach(tracepoint, (firedOn) => {
    // A run is that of one CPU, which is in the program: the guard refuses whatever comes.
    if (firedOn !== cpu) return;
    bpfProgEnterRecur(machine, prog, cpu);
    bpfProgExitRecur(machine, prog, cpu);
  });
}
