import { uapiConstant } from '../isa/constants.ts';
import { helperByName } from '../isa/helpers.ts';
import type { TextRange } from '../object/object.ts';
import type { ExprBinding } from './grammar.ts';
import { createTokenBuffer, lexLine, type TokenBuffer, TokKind } from './lexer.ts';
import { match, matchInsn } from './match.ts';
import type { InsnStatement, ParsedLine, Statement } from './statement.ts';

/** Tokens of a line with their meaning, for semantic tokens, hover and completion. Made on demand. */

/**
 * `keyword`: a word of pseudoc's grammar (`if`, `goto`, `u32`, `ll`); `mnemonic`: the first word of a
 * gnu statement, `call` and `exit`; `label`: a definition, or a jump's target; `symbol`: any other name.
 */
export type TokenKind =
  | 'mnemonic'
  | 'keyword'
  | 'register'
  | 'number'
  | 'label'
  | 'symbol'
  | 'directive'
  | 'string'
  | 'operator'
  | 'comment'
  | 'constant'
  | 'helper'
  | 'invalid';

/** A token; `start` and `end` are UTF-16 offsets in the text. */
export interface AsmToken extends TextRange {
  readonly kind: TokenKind;
  readonly text: string;
  /** Register number of a `register`. */
  readonly register?: number;
  /** A label's definition. */
  readonly definition?: true;
}

const buf: TokenBuffer = createTokenBuffer();
const scratch: TokenBuffer = createTokenBuffer();
/** Words that are mnemonics though their statement has pseudoc's form. */
const PSEUDOC_MNEMONICS = new Set(['call', 'callx', 'exit', 'goto', 'gotol', 'may_goto', 'if', 'lock']);

/** The tokens of `text[from, to)`, which was parsed to `line`. */
export function tokensOfLine(text: string, from: number, to: number, line: ParsedLine): AsmToken[] {
  const meanings = new Map<number, TokenKind>();
  for (const statement of line.statements) classify(text, from, statement, meanings);
  lexLine(buf, text, from, to, line.startsInComment, true);
  const out: AsmToken[] = [];
  for (let i = 0; i < buf.n; i++) {
    const kind = buf.kind[i]!;
    const start = buf.start[i]!;
    const end = buf.end[i]!;
    const spelling = text.slice(start, end);
    const meaning = meanings.get(start);
    out.push({
      start,
      end,
      text: spelling,
      kind: meaning ?? lexicalKind(kind, spelling),
      ...(kind === TokKind.reg || kind === TokKind.wreg ? { register: buf.value[i]! } : {}),
      ...(meaning === 'label' && definesLabel(line, start - from) ? { definition: true as const } : {}),
    });
  }
  return out;
}

function definesLabel(line: ParsedLine, at: number): boolean {
  return line.statements.some((s) => (s.kind === 'label' || s.kind === 'assign') && s.start === at);
}

function lexicalKind(kind: number, spelling: string): TokenKind {
  switch (kind) {
    case TokKind.reg:
    case TokKind.wreg:
      return 'register';
    case TokKind.num:
      return 'number';
    case TokKind.localRef:
      return 'label';
    case TokKind.str:
      return 'string';
    case TokKind.comment:
      return 'comment';
    case TokKind.op:
    case TokKind.separator:
      return 'operator';
    case TokKind.word:
      return spelling.startsWith('.') ? 'directive' : nameKind(spelling);
    default:
      return 'invalid';
  }
}

function nameKind(name: string): TokenKind {
  return uapiConstant(name) ? 'constant' : 'symbol';
}

function classify(text: string, from: number, statement: Statement, out: Map<number, TokenKind>): void {
  if (statement.kind === 'label') {
    out.set(from + statement.start, 'label');
  } else if (statement.kind === 'assign') {
    out.set(from + statement.start, 'constant');
  } else if (statement.kind === 'directive') {
    out.set(from + statement.start, 'directive');
    for (const arg of statement.args) {
      if (arg.kind === 'at') out.set(from + arg.start + 1, 'keyword');
      else if (arg.kind !== 'string') classifyWords(text, from + arg.start, from + arg.end, out);
    }
    if (statement.name === '.section' && statement.args[0]) out.set(from + statement.args[0].start, 'symbol');
  } else if (statement.kind === 'insn') {
    classifyInsn(text, from, statement, out);
  }
}

function classifyWords(text: string, start: number, end: number, out: Map<number, TokenKind>): void {
  lexLine(scratch, text, start, end, false);
  for (let i = 0; i < scratch.n; i++) {
    if (scratch.kind[i] !== TokKind.word) continue;
    out.set(scratch.start[i]!, nameKind(text.slice(scratch.start[i], scratch.end[i])));
  }
}

function classifyInsn(
  text: string,
  from: number,
  statement: InsnStatement,
  out: Map<number, TokenKind>,
): void {
  lexLine(scratch, text, from + statement.start, from + statement.end, false);
  if (!matchInsn(scratch, text, from, 0, statement.terminal.dialect)) return;
  const gnu = (statement.terminal.dialect & 1) === 0;
  for (const i of match.literals) {
    const word = text.slice(scratch.start[i], scratch.end[i]);
    out.set(scratch.start[i]!, i === 0 && (gnu || PSEUDOC_MNEMONICS.has(word)) ? 'mnemonic' : 'keyword');
  }
  for (let n = 0; n < match.nExprs; n++) {
    const binding = statement.terminal.exprs[n]!;
    for (let i = match.exprFrom[n]!; i < match.exprTo[n]!; i++) {
      const kind = scratch.kind[i];
      if (kind !== TokKind.word && kind !== TokKind.str) continue;
      out.set(scratch.start[i]!, operandKind(binding, text.slice(scratch.start[i], scratch.end[i])));
    }
  }
}

function operandKind(binding: ExprBinding, name: string): TokenKind {
  switch (binding) {
    case 'target':
    case 'ltarget':
      return 'label';
    case 'helper':
    case 'func':
    case 'kfunc':
      return helperByName(name) ? 'helper' : 'symbol';
    default:
      return nameKind(name);
  }
}

/** Where an instruction's operands stand. */
export interface OperandRanges {
  /** In the order of the statement's registers. */
  readonly regs: readonly TextRange[];
  /** In the order of `terminal.exprs`; an offset left out has an empty range. */
  readonly exprs: readonly TextRange[];
}

/** Absolute ranges of the operands of `statement`, which stands in the line that begins at `lineStart`. */
export function operandRanges(text: string, lineStart: number, statement: InsnStatement): OperandRanges {
  lexLine(scratch, text, lineStart + statement.start, lineStart + statement.end, false);
  if (!matchInsn(scratch, text, lineStart, 0, statement.terminal.dialect)) return { regs: [], exprs: [] };
  const regs: TextRange[] = [];
  const exprs: TextRange[] = [];
  for (let n = 0; n < match.nRegs; n++) {
    const i = match.regTokens[n]!;
    regs.push({ start: scratch.start[i]!, end: scratch.end[i]! });
  }
  for (let n = 0; n < match.nExprs; n++) {
    const first = match.exprFrom[n]!;
    const next = match.exprTo[n]!;
    const start = scratch.start[first]!;
    exprs.push({ start, end: next > first ? scratch.end[next - 1]! : start });
  }
  return { regs, exprs };
}
