import {
  type InlineValue,
  InlineValueEvaluatableExpression,
  type InlineValueParams,
} from 'vscode-languageserver';
import { classicRow } from '#core/cbpf/table.ts';
import { rangeOf } from '../line-index.ts';
import type { ClassicSnapshot } from './documents.ts';

/**
 * `textDocument/inlineValue` of classic BPF: what the instructions of the stopped line read of A, X and M[].
 * Lines above are left alone: nearly each of them writes A, so that its value now is none of theirs.
 */
export function classicInlineValues(
  snapshot: ClassicSnapshot,
  { context }: InlineValueParams,
): InlineValue[] {
  const line = context.stoppedLocation.end.line + 1;
  const seen = new Set<string>();
  const values: InlineValue[] = [];
  for (const insn of snapshot.source().value.insns) {
    if (insn.line !== line) continue;
    for (const name of readsOf(insn.filter.code, insn.filter.k)) {
      if (seen.has(name)) continue;
      seen.add(name);
      values.push(InlineValueEvaluatableExpression.create(rangeOf(snapshot.index, insn.range), name));
    }
  }
  return values;
}

/** Registers that an instruction reads, as expressions. */
function readsOf(code: number, k: number): string[] {
  const row = classicRow(code);
  if (row === undefined) return [];
  switch (row.mode) {
    case 'mem':
      if (row.id === 'st') return ['A'];
      return row.id === 'stx' ? ['X'] : [`M[${k}]`];
    case 'ind':
      return ['X'];
    case 'cond_x':
    case 'x':
      return ['A', 'X'];
    case 'cond_k':
    case 'a':
      return ['A'];
    case 'imm':
      return row.name === 'ld' || row.name === 'ldx' || row.name === 'ret' ? [] : ['A'];
    case 'none':
      return row.id === 'txa' ? ['X'] : ['A'];
    default:
      return [];
  }
}
