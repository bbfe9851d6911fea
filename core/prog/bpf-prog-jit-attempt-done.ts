import type { Machine } from '../vm/machine.ts';
import { kfree } from './kernel-memory.ts';
import { auxOf, type BpfProgShell } from './prog.ts';

/**
 * Tidies up after an attempt to make native code, successful or not: the table of kernel functions goes in
 * any case, the table of native line addresses when there is no native code or its first entry is empty.
 * Mirrors `bpf_prog_jit_attempt_done`, kernel/bpf/core.c.
 */
export function bpfProgJitAttemptDone(machine: Machine, prog: BpfProgShell): void {
  const aux = auxOf(prog);
  const gone: string[] = [];
  if (
    aux.jitedLinfo !== 0 &&
    (!prog.jited || machine.memory.view.getBigUint64(aux.jitedLinfo, true) === 0n)
  ) {
    kfree(machine, aux.jitedLinfo);
    aux.jitedLinfo = 0;
    gone.push('line table freed');
  }
  if (aux.kfuncTab !== 0) gone.push('kfunc_tab freed');
  kfree(machine, aux.kfuncTab);
  aux.kfuncTab = 0;
  machine.lifeCycle.note(
    'bpf_prog_jit_attempt_done',
    [prog.jited ? 'jited' : 'not jited', ...gone].join(', '),
  );
}
