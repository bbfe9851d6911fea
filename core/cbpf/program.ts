import type { TextRange } from '../object/object.ts';
import type { ClassicToken } from './lexer.ts';
import type { SockFilter } from './sock-filter.ts';

/**
 * How a classic program is written: the bpf_asm language, a listing of `tcpdump -d`, the C initialisers
 * of `tcpdump -dd` (and `bpf_asm -c`), the numbers of `tcpdump -ddd`.
 */
export type ClassicForm = 'asm' | 'd' | 'dd' | 'ddd';

/** One instruction and where it stands. */
export interface ClassicInsn {
  readonly filter: SockFilter;
  readonly range: TextRange;
  /** From 1. */
  readonly line: number;
  /** From 1, UTF-16 units. */
  readonly column: number;
}

/** A label: where it is defined, what it names, where it is used. */
export interface ClassicLabel {
  readonly name: string;
  readonly range: TextRange;
  /** Index of the instruction that it stands before. */
  readonly index: number;
}

/** A label where a jump names it. */
export interface ClassicLabelUse {
  readonly name: string;
  readonly range: TextRange;
  /** Index of the jump. */
  readonly index: number;
}

/** A classic program as read from a text. */
export interface ClassicProgram {
  readonly form: ClassicForm;
  readonly text: string;
  /** Tokens of the text, all of it; empty for the numeric forms. */
  readonly tokens: readonly ClassicToken[];
  readonly insns: readonly ClassicInsn[];
  readonly labels: readonly ClassicLabel[];
  readonly uses: readonly ClassicLabelUse[];
}

/** The instructions alone. */
export function filtersOf(program: ClassicProgram): readonly SockFilter[] {
  return program.insns.map((insn) => insn.filter);
}
