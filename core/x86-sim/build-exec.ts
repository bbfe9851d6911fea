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
  const insn = decodeX86(func.code.image, at);
  if (insn === undefined) throw new RangeError(`no instruction of the table at ${func.prog.name}+${at}`);
  const next = at + insn.length;
  const info = at < func.code.prologueLen ? undefined : func.info(func.slotAt(at));
  const access = ACCESS[info?.access ?? 'native'];
  const exec = BUILD[insn.form.row.id as X86Id](insn.operands, { text, func, at, next, info, access });
  func.execs[at] = exec;
  return exec;
}
