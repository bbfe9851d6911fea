import { STOP } from '../interp/op.ts';
import { decodeX86 } from '../jit/x86-64/decode.ts';
import type { X86Id } from '../jit/x86-64/rows.ts';
import { ACCESS } from './memory.ts';
import type { NativeFunc } from './native-func.ts';
import type { NativeText } from './native-text.ts';
import { BUILD } from './rows.ts';
import type { Exec } from './state.ts';

/** What executes the instruction at `at`, made once. Throws RangeError where none of the table stands. */
export function execAt(text: NativeText, func: NativeFunc, at: number): Exec {
  const known = func.execs[at];
  if (known !== undefined) return known;
  const original = builtFrom(text, func, at);
  const exec = func.patches.has(at) ? breakpoint(func, at, original) : original;
  func.execs[at] = exec;
  return exec;
}

/**
 * The `int3` of a breakpoint. One for a BPF instruction was decided on before that began, so here only one by address
 * stops; to go on, the instruction below it is executed.
 */
function breakpoint({ patches }: NativeFunc, at: number, original: Exec): Exec {
  return (n) => {
    if (!n.obeys || n.over === at || !patches.hasAddress(at)) return original(n);
    n.s.stop = { kind: 'breakpoint' };
    return STOP;
  };
}

function builtFrom(text: NativeText, func: NativeFunc, at: number): Exec {
  const insn = decodeX86(func.code.image, at);
  if (insn === undefined) throw new RangeError(`no instruction of the table at ${func.prog.name}+${at}`);
  const next = at + insn.length;
  const info = at < func.code.prologueLen ? undefined : func.info(func.slotAt(at));
  const access = ACCESS[info?.access ?? 'native'];
  return BUILD[insn.form.row.id as X86Id](insn.operands, { text, func, at, next, info, access });
}
