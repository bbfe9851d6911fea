import type { Machine } from '../vm/machine.ts';
import { bpfIntJitCompile, type JitCompiler } from './bpf-int-jit-compile.ts';
import { bpfProgAllocJitedLinfo } from './bpf-prog-alloc-jited-linfo.ts';
import { bpfProgJitAttemptDone } from './bpf-prog-jit-attempt-done.ts';
import type { BpfProgShell } from './prog.ts';

/**
 * Decides what executes a verified program: native code where it was wanted and a compiler gives it, else
 * the interpreter. Mirrors `bpf_prog_select_runtime`, kernel/bpf/core.c, but for the check of program
 * arrays at its end (`bpfCheckTailCall`), which the caller makes. Returns the object to use from now on.
 * Throws MemoryLimitError, `prog` as it was.
 */
export function bpfProgSelectRuntime(
  machine: Machine,
  prog: BpfProgShell,
  compiler?: JitCompiler,
): BpfProgShell {
  machine.lifeCycle.note('bpf_prog_select_runtime');
  bpfProgAllocJitedLinfo(machine, prog);
  const chosen = bpfIntJitCompile(machine, prog, compiler);
  bpfProgJitAttemptDone(machine, chosen);
  return chosen;
}
