/**
 * The little language of the table's templates, shared by printer and parser.
 *
 * A template such as `*(u32 *)({dst} {mem}) = {imm}` is a sequence of words (`goto`, `u32`),
 * operators and punctuation (`s>=`, `(`), and operands in braces. White space in a template says how
 * the printer spaces; a parser may ignore it, except inside an operator.
 */

/** The dialects that have a template in every row. */
export type Dialect = 'pseudoc' | 'gnu' | 'kernel';

/**
 * What may stand in braces. Each is bound to fields of the instruction:
 *
 * | operand | field | written as |
 * |---|---|---|
 * | `dst` `src` | dst_reg, src_reg | `r1` (gnu: `%r1`) |
 * | `wdst` `wsrc` | the same, low half | `w1` (gnu has no word for it: templates use `dst`) |
 * | `imm` | imm | signed decimal |
 * | `ximm` | imm | the kernel's `0x%x` of the unsigned value |
 * | `mem` | off | `+ 4`, `- 8`; `+ 0` is printed, and may be left out in source |
 * | `kmem` | off | the kernel's `%+d`: `+4`, `-8`, `+0` |
 * | `off` | off | gnu's `+4`, `-8`, `+0` inside brackets; may be left out in source |
 * | `target` | off | a label, or slots from the next instruction: `+3` (kernel: `pc+3`) |
 * | `ltarget` | imm | the same in 32 bits (`gotol`) |
 * | `imm64` | imm, next_imm | 64-bit number |
 * | `ximm64` | imm, next_imm | the same, `0x…` |
 * | `next_imm` | next_imm | 32-bit number |
 * | `helper` | imm | a helper's number or name |
 * | `func` | imm | a function's name, or slots from the next instruction (printed `pc+5` in a call) |
 * | `relfunc` | imm | the same, always as signed slots: `call pc+5`, the kernel's `subprog[+5]` |
 * | `kfunc` | imm | BTF id of a kernel function |
 * | `kfd` | off | index into the fd array: the module that has the kernel function, 0 for the kernel itself |
 * | `mapfd` `mapidx` | imm | a map's number (its name where there is one) |
 * | `var` | imm | BTF id of a kernel variable |
 * | `indoff` | imm | ` + 4` behind a register, nothing when 0 |
 * | `as_dst` `as_src` | imm >> 16, imm & 0xffff | an address space's number |
 */
const OPERANDS = [
  'dst',
  'src',
  'wdst',
  'wsrc',
  'imm',
  'ximm',
  'mem',
  'kmem',
  'off',
  'target',
  'ltarget',
  'imm64',
  'ximm64',
  'next_imm',
  'helper',
  'func',
  'relfunc',
  'kfunc',
  'kfd',
  'mapfd',
  'mapidx',
  'var',
  'indoff',
  'as_dst',
  'as_src',
] as const;

/** Name of an operand placeholder. */
export type Operand = (typeof OPERANDS)[number];

/**
 * One token of a template. `space`: white space stands before it.
 * `word`: letters, digits, underscores; `op`: one of `OPERATORS`; `operand`: a placeholder.
 */
export type TemplateToken =
  | { readonly kind: 'word' | 'op'; readonly text: string; readonly space: boolean }
  | { readonly kind: 'operand'; readonly operand: Operand; readonly space: boolean };

/**
 * Every operator and punctuation mark that templates use, longest first, so that a lexer that takes
 * the first that fits is right. Those that begin with `s` are signed comparisons and operations; in
 * source they count only when no letter, digit or underscore stands directly before the `s`.
 */
export const OPERATORS: readonly string[] = [
  's>>=',
  '<<=',
  '>>=',
  's>=',
  's<=',
  's/=',
  's%=',
  's>',
  's<',
  '+=',
  '-=',
  '*=',
  '/=',
  '%=',
  '|=',
  '&=',
  '^=',
  '==',
  '!=',
  '>=',
  '<=',
  '=',
  '>',
  '<',
  '&',
  '*',
  '(',
  ')',
  '[',
  ']',
  ',',
  '+',
  '-',
  ':',
  '#',
];

const cache = new Map<string, readonly TemplateToken[]>();

/**
 * Splits a template into tokens. The answer is cached: templates are constants of the table.
 * Throws on text that is not a template, which a test holds for all rows.
 */
export function parseTemplate(template: string): readonly TemplateToken[] {
  let tokens = cache.get(template);
  if (!tokens) {
    tokens = tokenize(template);
    cache.set(template, tokens);
  }
  return tokens;
}

/** The operands of a template, in order; one that stands twice is listed twice. */
export function templateOperands(template: string): Operand[] {
  return parseTemplate(template).flatMap((token) => (token.kind === 'operand' ? [token.operand] : []));
}

/** The words of a template (`if`, `goto`, `ldxw`), in order: what a grammar or a completion list needs. */
export function templateWords(template: string): string[] {
  return parseTemplate(template).flatMap((token) => (token.kind === 'word' ? [token.text] : []));
}

/** Fills a template: each operand becomes what `value` returns for it. */
export function fillTemplate(template: string, value: (operand: Operand) => string): string {
  let text = '';
  for (const token of parseTemplate(template)) {
    if (token.space) text += ' ';
    text += token.kind === 'operand' ? value(token.operand) : token.text;
  }
  return text;
}

function tokenize(template: string): TemplateToken[] {
  const tokens: TemplateToken[] = [];
  let at = 0;
  let space = false;
  while (at < template.length) {
    const rest = template.slice(at);
    if (rest.startsWith(' ')) {
      space = true;
      at++;
      continue;
    }
    const operand = /^\{(\w+)\}/.exec(rest);
    const op = OPERATORS.find((o) => rest.startsWith(o));
    const word = /^\w+/.exec(rest);
    if (operand) {
      const name = OPERANDS.find((o) => o === operand[1]);
      if (!name) throw new Error(`template ${template}: no operand is called ${operand[1]}`);
      tokens.push({ kind: 'operand', operand: name, space });
      at += operand[0].length;
    } else if (op) {
      tokens.push({ kind: 'op', text: op, space });
      at += op.length;
    } else if (word) {
      tokens.push({ kind: 'word', text: word[0], space });
      at += word[0].length;
    } else {
      throw new Error(`template ${template}: nothing fits at ${at}`);
    }
    space = false;
  }
  return tokens;
}
