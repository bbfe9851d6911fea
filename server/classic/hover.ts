import { type Hover, type HoverParams, MarkupKind } from 'vscode-languageserver';
import { type Extension, extensionAt } from '#core/cbpf/extensions.ts';
import { classicText } from '#core/cbpf/print.ts';
import { type ClassicInsn, type ClassicProgram, filtersOf } from '#core/cbpf/program.ts';
import { looksLikeSeccomp, seccompNotes } from '#core/cbpf/seccomp-flow.ts';
import { SKF_AD_OFF } from '#core/cbpf/sock-filter.ts';
import { type ClassicInsnRow, classicRow } from '#core/cbpf/table.ts';
import { offsetAt, rangeOf } from '../line-index.ts';
import type { ClassicSnapshot } from './documents.ts';
import { labelAt } from './labels.ts';

/** `textDocument/hover` of classic BPF: what the instruction does and its fields, where a label leads. */
export function classicHover(snapshot: ClassicSnapshot, { position }: HoverParams): Hover | null {
  const offset = offsetAt(snapshot.index, position);
  const { value } = snapshot.source();
  const label = labelAt(value, offset);
  const target = label?.definition === undefined ? undefined : value.insns[label.definition.index];
  if (label !== undefined && target !== undefined) {
    const text = `\`${label.name}\`: instruction ${label.definition?.index}, line ${target.line}`;
    return answer(snapshot, [text], label.range);
  }
  const index = value.insns.findIndex(({ range }) => offset >= range.start && offset <= range.end);
  const insn = value.insns[index];
  const row = insn && classicRow(insn.filter.code);
  if (insn === undefined || row === undefined) return null;
  const text = classicText(insn.filter, index, (target) => `instruction ${target}`);
  return answer(
    snapshot,
    [
      `\`\`\`bpf-classic\n${text}\n\`\`\``,
      ...meaning(row, insn),
      ...seccompMeaning(value, index),
      fields(index, insn),
    ],
    insn.range,
  );
}

function answer(
  snapshot: ClassicSnapshot,
  parts: readonly string[],
  range: { start: number; end: number },
): Hover {
  return {
    contents: { kind: MarkupKind.Markdown, value: parts.join('\n\n') },
    range: rangeOf(snapshot.index, range),
  };
}

function meaning(row: ClassicInsnRow, { filter }: ClassicInsn): string[] {
  const extension =
    row.mode === 'abs' && filter.k >= SKF_AD_OFF ? extensionAt(filter.k - SKF_AD_OFF) : undefined;
  if (extension !== undefined) return [`${extensionMarkdown(extension)}, into A`];
  const more = row.accept === 'socket' ? ['Socket filters only, not seccomp.'] : [];
  return [row.meaning, ...more];
}

/** The field, system call or action that the instruction of a seccomp filter speaks of. */
function seccompMeaning(program: ClassicProgram, index: number): string[] {
  const filters = filtersOf(program);
  if (!looksLikeSeccomp(filters)) return [];
  const note = seccompNotes(filters)[index];
  return note === undefined ? [] : [`As a seccomp filter: \`${note}\``];
}

/** An extension in words, for hover and completion. */
export function extensionMarkdown({ constant, meaning: text }: Extension): string {
  return `\`${constant}\`: ${text}`;
}

function fields(index: number, { filter }: ClassicInsn): string {
  const { code, jt, jf, k } = filter;
  const hex = (value: number, digits: number) => `0x${value.toString(16).padStart(digits, '0')}`;
  return `Instruction ${index}: code \`${hex(code, 2)}\`, jt ${jt}, jf ${jf}, k \`${hex(k, 8)}\` (${k})`;
}
