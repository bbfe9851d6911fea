import { disassemble } from '../asm/disassemble.ts';
import { listingLine } from '../cbpf/print.ts';
import type { SockFilter } from '../cbpf/sock-filter.ts';
import type { InsnIndex } from '../isa/insn.ts';
import type { LineInfo } from '../object/object.ts';
import { baseName } from './paths.ts';

/** A converted classic program as a text that can be debugged, and assembled. */
export interface ConvertedText {
  /** What stack frames call it. No such file exists. */
  readonly file: string;
  /** For people; its ending tells the language. */
  readonly name: string;
  readonly text: string;
  /** One record an instruction; `file` is 0. */
  readonly lineInfo: readonly LineInfo[];
}

/** What is told of the classic program, by instruction. */
export interface ClassicParts {
  readonly filters: readonly SockFilter[];
  /** First slot of each, the set-up left out. */
  readonly firstSlot: readonly InsnIndex[];
  /** Words that are added to some; empty: none. */
  readonly notes: readonly (string | undefined)[];
}

const HEAD = [
  '// What bpf_convert_filter makes of the classic program: A is r0, X is r7, the context is r6,',
  '// M[k] is the word at r10 - 4 * (k + 1).',
];

/**
 * Writes the converted program down in the default dialect, each classic instruction in a comment before
 * what it has become.
 */
export function convertedText(
  fileName: string,
  insns: Uint8Array,
  { filters, firstSlot, notes }: ClassicParts,
): ConvertedText {
  const classicAt = new Map(firstSlot.map((slot, pc) => [slot, pc] as const));
  const lines = [...HEAD];
  const lineInfo: LineInfo[] = [];
  for (const { insnOff, labels, text } of disassemble(insns, 'pseudoc')) {
    const pc = classicAt.get(insnOff);
    const filter = pc === undefined ? undefined : filters[pc];
    if (pc !== undefined && filter !== undefined) {
      const note = notes[pc] === undefined ? '' : ` ; ${notes[pc]}`;
      lines.push('', `// ${listingLine(filter, pc).trimEnd()}${note}`);
    }
    for (const label of labels) lines.push(`${label}:`);
    lines.push(`\t${text}`);
    lineInfo.push({ insnOff, file: 0, line: lines.length, column: 2 });
  }
  return {
    file: `${fileName}.ebpf`,
    name: `${baseName(fileName).replace(/\.[^.]*$/, '')}.ebpf`,
    text: `${lines.join('\n')}\n`,
    lineInfo,
  };
}
