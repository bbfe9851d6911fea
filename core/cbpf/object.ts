import type { BpfObject, Diagnostic, LineInfo, Parsed } from '../object/object.ts';
import { objectFromInsns } from '../object/raw.ts';
import { bpfCheckClassic, type ClassicRefusal, seccompCheckFilter } from './check.ts';
import { bpfConvertFilter, type ClassicAttach, type Converted } from './convert.ts';
import { type ClassicProgram, filtersOf } from './program.ts';
import { readClassic } from './read.ts';

/** Options of `classicObject`. */
export interface ClassicObjectOptions {
  readonly fileName: string;
  /** Name of the program. */
  readonly name: string;
  /** `socket_filter` where not told. */
  readonly attach?: ClassicAttach;
}

/** A classic text as everything that follows needs it. `object` and `converted` are missing when there is an error. */
export interface ClassicSource extends Parsed<ClassicProgram> {
  readonly object: BpfObject | undefined;
  readonly converted: Converted | undefined;
}

/**
 * Reads a classic program in any form, checks it as the kernel does and converts it to eBPF, with line
 * info that leads back to the classic text. A seccomp filter becomes a `raw` program on the 64 bytes of
 * `struct seccomp_data`. Never throws on a text's content.
 */
export function classicObject(text: string, options: ClassicObjectOptions): ClassicSource {
  const { value, diagnostics } = readClassic(text);
  if (diagnostics.some((each) => each.severity === 'error')) {
    return { value, diagnostics, object: undefined, converted: undefined };
  }
  const attach = options.attach ?? 'socket_filter';
  const filters = filtersOf(value);
  const refusal = attach === 'seccomp' ? seccompCheckFilter(filters) : bpfCheckClassic(filters);
  const converted = refusal ?? bpfConvertFilter(filters, attach);
  if ('message' in converted) {
    const refused = refusalDiagnostic(value, converted);
    return { value, diagnostics: [...diagnostics, refused], object: undefined, converted: undefined };
  }
  const lineInfo = value.insns.map(
    (insn, pc): LineInfo => ({
      insnOff: converted.firstSlot[pc] ?? 0,
      file: 0,
      line: insn.line,
      column: insn.column,
    }),
  );
  const object = objectFromInsns(converted.insns, {
    name: options.name,
    fileName: options.fileName,
    progType: attach === 'seccomp' ? 'raw' : 'socket_filter',
    lineInfo,
    wasClassic: true,
  });
  return { value, diagnostics, object, converted };
}

/** What the kernel's check says, at the instruction's place in the text. */
function refusalDiagnostic(program: ClassicProgram, refusal: ClassicRefusal): Diagnostic {
  const insn = refusal.pc === undefined ? undefined : program.insns[refusal.pc];
  return {
    range: insn?.range ?? { start: 0, end: program.text.length },
    severity: 'error',
    code: refusal.code,
    message: refusal.message,
  };
}
