import type { Machine } from '../vm/machine.ts';
import { MemoryLimitError } from '../vm/memory.ts';
import { bpfJitBlindConstants } from './bpf-jit-blind-constants.ts';
import { bpfJitProgReleaseOther } from './bpf-prog-clone.ts';
import { bpfProgFillJitedLinfo, type JitedFunc } from './bpf-prog-fill-jited-linfo.ts';
import type { SubprogKinds } from './kinds.ts';
import { auxOf, type BpfProgShell, type Code, type JitedArch } from './prog.ts';

/** What a compiler makes of a program: native code a function, or why there is none. */
export type JitOutcome =
  | { readonly ok: true; readonly arch: JitedArch; readonly funcs: readonly JitedFunc[] }
  | { readonly ok: false; readonly message: string };

/**
 * A compiler of rewritten programs to native code. `subprogs`: what the data-flow pass found of each function, so that it
 * need not pass again; absent where nobody asked it. It must not throw.
 */
export type JitCompiler = (code: Code, subprogs?: readonly SubprogKinds[]) => JitOutcome;

/** Why there is no native code where none is given. What the engine `wasm` makes later is not the program object's. */
const NO_COMPILER = 'loaded without a compiler to native code';

/**
 * Blinds the program's constants, if that was asked for, and has it compiled. Mirrors
 * `bpf_int_jit_compile` (arch/x86/net/bpf_jit_comp.c) and its empty form in kernel/bpf/core.c. When there
 * is no native code the program goes on interpreted, and `aux.whyInterpreted` says why.
 *
 * One thing differs from the kernel: without a compiler a blinded program stays blinded, because here the
 * engines execute what native code would be made from. Where a compiler fails, and where blinding fails,
 * the original program is interpreted. Never throws.
 */
export function bpfIntJitCompile(
  machine: Machine,
  prog: BpfProgShell,
  compiler: JitCompiler | undefined,
): BpfProgShell {
  const aux = auxOf(prog);
  if (!prog.jitRequested) {
    machine.lifeCycle.note('bpf_int_jit_compile', 'no JIT requested');
    aux.whyInterpreted = 'bpf_jit_enable is 0';
    return prog;
  }
  machine.lifeCycle.note('bpf_int_jit_compile');
  const blinded = blind(machine, prog);
  if ('message' in blinded) {
    aux.whyInterpreted = `its constants could not be blinded: ${blinded.message}`;
    return prog;
  }
  const outcome = compiler?.(blinded.code);
  const keepsBlinded = outcome === undefined || outcome.ok;
  const [kept, other] = keepsBlinded ? [blinded, prog] : [prog, blinded];
  if (kept !== other) bpfJitProgReleaseOther(machine, kept, other);
  if (outcome?.ok !== true) {
    aux.whyInterpreted = outcome?.message ?? NO_COMPILER;
    return kept;
  }
  aux.jitedLen = outcome.funcs.reduce((sum, func) => sum + func.length, 0);
  aux.jitedFuncs = outcome.funcs.map(({ image, length }) => ({ image, length }));
  aux.jitedArch = outcome.arch;
  kept.jited = true;
  outcome.funcs.forEach((func, i) => {
    bpfProgFillJitedLinfo(machine, kept, i, func);
  });
  return kept;
}

function blind(machine: Machine, prog: BpfProgShell): BpfProgShell | { readonly message: string } {
  try {
    return bpfJitBlindConstants(machine, prog);
  } catch (error) {
    if (!(error instanceof MemoryLimitError)) throw error;
    return { message: error.message };
  }
}
