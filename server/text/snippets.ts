import { TABLE_ROWS } from '#core/isa/decode.ts';
import type { InsnRow } from '#core/isa/row.ts';
import { type Operand, parseTemplate, type TemplateToken } from '#core/isa/template.ts';
import { rowFacts } from './instruction.ts';

/** A piece of a statement made from a template of the instruction table, with places to fill in. */
export interface Snippet {
  /** As the list shows it: `*(u32 *)(src + off)`. */
  readonly label: string;
  /** LSP snippet: `*(u32 *)(${1:r1} + ${2:0})`. */
  readonly insert: string;
  readonly meaning: string;
  /** ISA version, group and reference, as Markdown. */
  readonly facts: string;
}

/** Whole statements that begin with a word or an operator, one of each shape. */
export function statementSnippets(dialect: 'pseudoc' | 'gnu'): readonly Snippet[] {
  return distinct(
    TABLE_ROWS.filter((row) => !row.rewrittenOnly && row[dialect] !== '').flatMap((row) => {
      const tokens = parseTemplate(row[dialect]);
      return tokens[0]?.kind === 'operand' || isAssignment(tokens) ? [] : [snippetOf(row, tokens)];
    }),
  );
}

/** What may stand to the right of `rX =` in pseudo-C, beyond a register or a number. */
export function rightHandSides(): readonly Snippet[] {
  return distinct(
    TABLE_ROWS.filter((row) => !row.rewrittenOnly).flatMap((row) => {
      const tokens = parseTemplate(row.pseudoc);
      const right = tokens.slice(2);
      return isAssignment(tokens) && right[0]?.kind !== 'operand' ? [snippetOf(row, right)] : [];
    }),
  );
}

/** `{dst} = …`, or `r0 = …` where the table fixes the register. */
function isAssignment(tokens: readonly TemplateToken[]): boolean {
  const [left, equals] = tokens;
  const isRegister = left?.kind === 'operand' || (left?.kind === 'word' && /^[rw]\d$/.test(left.text));
  return isRegister && equals?.kind === 'op' && equals.text === '=';
}

function snippetOf(row: InsnRow, tokens: readonly TemplateToken[]): Snippet {
  let label = '';
  let insert = '';
  let stop = 0;
  tokens.forEach((token, at) => {
    const space = token.space && at > 0 ? ' ' : '';
    if (token.kind === 'operand') {
      const { name, example } = PLACES[token.operand] ?? { name: token.operand, example: token.operand };
      label += space + name;
      insert += `${space}\${${++stop}:${example}}`;
    } else {
      label += space + token.text;
      insert += space + token.text;
    }
  });
  return { label, insert, meaning: row.meaning, facts: rowFacts(row) };
}

function distinct(all: readonly Snippet[]): Snippet[] {
  return [...new Map(all.toReversed().map((one) => [one.label, one])).values()].reverse();
}

/** How an operand is called in the list, and what stands there until the user types. */
const PLACES: Partial<Record<Operand, { readonly name: string; readonly example: string }>> = {
  dst: { name: 'dst', example: 'r1' },
  src: { name: 'src', example: 'r2' },
  wdst: { name: 'wdst', example: 'w1' },
  wsrc: { name: 'wsrc', example: 'w2' },
  imm: { name: 'imm', example: '0' },
  mem: { name: '+ off', example: '+ 0' },
  off: { name: '+off', example: '+0' },
  target: { name: 'label', example: 'label' },
  ltarget: { name: 'label', example: 'label' },
  imm64: { name: 'imm64', example: '0' },
  helper: { name: 'function', example: 'bpf_ktime_get_ns' },
  indoff: { name: ' + off', example: ' + 0' },
};
