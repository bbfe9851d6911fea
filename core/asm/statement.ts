import { BPF_REG_AX } from '../isa/registers.ts';
import { type Expr, exprEnd, parseExpr } from './expr.ts';
import { DIALECT_GNU, DIALECT_PSEUDOC, type Terminal } from './grammar.ts';
import { createTokenBuffer, lexLine, opId, type TokenBuffer, TokKind } from './lexer.ts';
import { match, matchInsn } from './match.ts';
import { explainMismatch } from './mismatch.ts';

/** The statements of one line. All positions are offsets from the line's start, so that lines can move. */

/** An instruction as it stands in the source; what its expressions come to is known at assembly. */
export interface InsnStatement {
  readonly kind: 'insn';
  readonly start: number;
  readonly end: number;
  readonly terminal: Terminal;
  readonly dst: number;
  readonly src: number;
  /** Values of `terminal.exprs[0]` and `[1]`. */
  readonly e0: Expr | undefined;
  readonly e1: Expr | undefined;
}

/** `name:` or `1:`; `end` is behind the colon. */
export interface LabelStatement {
  readonly kind: 'label';
  readonly start: number;
  readonly end: number;
  readonly name: string;
  readonly nameEnd: number;
  readonly numeric: boolean;
}

/** `.name arguments`. */
export interface DirectiveStatement {
  readonly kind: 'directive';
  readonly start: number;
  readonly end: number;
  /** With its dot. */
  readonly name: string;
  readonly nameEnd: number;
  readonly args: readonly DirectiveArg[];
}

/** An argument; `at` stands for `@function` and `%progbits`; `raw` is text that is no expression. */
export type DirectiveArg = { readonly start: number; readonly end: number } & (
  | { readonly kind: 'expr'; readonly value: Expr }
  | { readonly kind: 'string' | 'raw' | 'empty' }
  | { readonly kind: 'at'; readonly name: string }
);

/** `name = value`. */
export interface AssignStatement {
  readonly kind: 'assign';
  readonly start: number;
  readonly end: number;
  readonly name: string;
  readonly nameEnd: number;
  readonly value: Expr;
}

/** Text that is no statement; a diagnostic says why. */
export interface BrokenStatement {
  readonly kind: 'broken';
  readonly start: number;
  readonly end: number;
}

/** A statement of a line, by its `kind`. Ranges are UTF-16 offsets in the text. */
export type Statement =
  | InsnStatement
  | LabelStatement
  | DirectiveStatement
  | AssignStatement
  | BrokenStatement;

/** A diagnostic whose range counts from the line's start. */
export interface LineError {
  readonly start: number;
  readonly end: number;
  readonly code: string;
  readonly message: string;
  readonly fix?: {
    readonly title: string;
    readonly newText: string;
    readonly start: number;
    readonly end: number;
  };
}

/** What a line of text is, wherever it stands. */
export interface ParsedLine {
  /** UTF-16 units without the line feed. */
  readonly length: number;
  readonly statements: readonly Statement[];
  readonly errors: readonly LineError[];
  readonly startsInComment: boolean;
  readonly endsInComment: boolean;
  /** Statements that only one of the dialects has. */
  readonly nPseudoc: number;
  readonly nGnu: number;
}

const buf: TokenBuffer = createTokenBuffer();
const COLON = opId(':');
const EQUALS = opId('=');
const COMMA = opId(',');
const AT = opId('@');
const PERCENT = opId('%');
const NO_ERRORS: readonly LineError[] = [];
const NO_STATEMENTS: readonly Statement[] = [];
/** A line with more statements than this is refused: nobody writes one. */
const MAX_LINE = 1_000_000;

/** Parses the line `text[from, to)`. `dialects`: bits of `DIALECT_…` that may be used. Never throws. */
export function parseLine(
  text: string,
  from: number,
  to: number,
  inComment: boolean,
  dialects: number,
): ParsedLine {
  if (to - from > MAX_LINE) return tooLong(to - from, inComment);
  lexLine(buf, text, from, to, inComment);
  const errors: LineError[] = buf.errors.map((e) => ({ ...e, start: e.start - from, end: e.end - from }));
  const endsInComment = buf.inComment;
  if (buf.n === 0) {
    return {
      length: to - from,
      statements: NO_STATEMENTS,
      errors: errors.length ? errors : NO_ERRORS,
      startsInComment: inComment,
      endsInComment,
      nPseudoc: 0,
      nGnu: 0,
    };
  }
  const statements: Statement[] = [];
  let nPseudoc = 0;
  let nGnu = 0;
  let i = 0;
  while (i < buf.n) {
    const kind = buf.kind[i]!;
    if (kind === TokKind.separator) {
      i++;
      continue;
    }
    const start = buf.start[i]! - from;
    if (isLabelName(kind) && buf.kind[i + 1] === TokKind.op && buf.value[i + 1] === COLON) {
      i = parseLabel(text, from, i, statements, errors);
      continue;
    }
    if (kind === TokKind.word && text.charCodeAt(buf.start[i]!) === 46 && !isAssign(i)) {
      i = parseDirective(text, from, i, statements);
      continue;
    }
    if (kind === TokKind.word && isAssign(i)) {
      i = parseAssign(text, from, i, statements, errors);
      continue;
    }
    if (matchInsn(buf, text, from, i, dialects)) {
      const terminal = match.terminal!;
      if (terminal.dialect === DIALECT_PSEUDOC) nPseudoc++;
      else if (terminal.dialect === DIALECT_GNU) nGnu++;
      statements.push(insnStatement(terminal, start, buf.end[match.next - 1]! - from));
      checkRegisters(from, errors);
      i = match.next;
      continue;
    }
    const next = statementEnd(i);
    const hasLexError = errors.some((e) => e.start >= start && e.end <= buf.end[next - 1]! - from);
    if (!hasLexError) errors.push(explainMismatch(buf, text, from, i, next, dialects));
    statements.push({ kind: 'broken', start, end: buf.end[next - 1]! - from });
    i = next;
  }
  return {
    length: to - from,
    statements,
    errors: errors.length ? errors : NO_ERRORS,
    startsInComment: inComment,
    endsInComment,
    nPseudoc,
    nGnu,
  };
}

function tooLong(length: number, inComment: boolean): ParsedLine {
  return {
    length,
    statements: NO_STATEMENTS,
    errors: [
      {
        start: 0,
        end: length,
        code: 'line-too-long',
        message: `the line has ${length} characters; at most ${MAX_LINE} are read`,
      },
    ],
    startsInComment: inComment,
    endsInComment: inComment,
    nPseudoc: 0,
    nGnu: 0,
  };
}

function isLabelName(kind: number): boolean {
  return (
    kind === TokKind.word ||
    kind === TokKind.str ||
    kind === TokKind.num ||
    kind === TokKind.reg ||
    kind === TokKind.wreg
  );
}

function isAssign(i: number): boolean {
  return buf.kind[i + 1] === TokKind.op && buf.value[i + 1] === EQUALS;
}

function statementEnd(i: number): number {
  while (buf.kind[i] !== TokKind.end && buf.kind[i] !== TokKind.separator) i++;
  return i;
}

function insnStatement(terminal: Terminal, start: number, end: number): InsnStatement {
  let dst = typeof terminal.row.dst === 'number' ? terminal.row.dst : 0;
  let src = typeof terminal.row.src === 'number' ? terminal.row.src : 0;
  for (let n = 0; n < terminal.regs.length; n++) {
    const binding = terminal.regs[n];
    if (binding === 'dst') dst = match.regs[n]!;
    else if (binding === 'src') src = match.regs[n]!;
  }
  return {
    kind: 'insn',
    start,
    end,
    terminal,
    dst,
    src,
    e0: match.nExprs > 0 ? match.exprs[0] : undefined,
    e1: match.nExprs > 1 ? match.exprs[1] : undefined,
  };
}

function checkRegisters(from: number, errors: LineError[]): void {
  for (let n = 0; n < match.nRegs; n++) {
    const reg = match.regs[n]!;
    if (reg <= 10) continue;
    const token = match.regTokens[n]!;
    const letter = buf.kind[token] === TokKind.wreg ? 'w' : 'r';
    errors.push({
      start: buf.start[token]! - from,
      end: buf.end[token]! - from,
      code: 'unknown-register',
      message:
        reg === BPF_REG_AX
          ? `R11 is invalid: programs may not name the kernel's own register; registers are ${letter}0 to ${letter}10`
          : `there is no register ${letter}${reg}; registers are ${letter}0 to ${letter}10`,
    });
  }
}

function parseLabel(text: string, from: number, i: number, out: Statement[], errors: LineError[]): number {
  const kind = buf.kind[i]!;
  const start = buf.start[i]! - from;
  const nameEnd = buf.end[i]! - from;
  const spelling = text.slice(buf.start[i], buf.end[i]);
  if (kind === TokKind.reg || kind === TokKind.wreg) {
    errors.push({
      start,
      end: nameEnd,
      code: 'register-as-label',
      message: `${spelling} is a register and cannot be a label; choose another name`,
    });
  } else {
    const numeric = kind === TokKind.num;
    out.push({
      kind: 'label',
      start,
      end: buf.end[i + 1]! - from,
      name: numeric ? String(buf.value[i]) : kind === TokKind.str ? spelling.slice(1, -1) : spelling,
      nameEnd,
      numeric,
    });
  }
  return i + 2;
}

function parseAssign(text: string, from: number, i: number, out: Statement[], errors: LineError[]): number {
  const start = buf.start[i]! - from;
  const nameEnd = buf.end[i]! - from;
  const name = text.slice(buf.start[i], buf.end[i]);
  const next = statementEnd(i);
  const end = buf.end[next - 1]! - from;
  const value = parseExpr(buf, text, from, i + 2);
  if (/^[a-z]\d+$/i.test(name)) {
    const fix = suggestRegister(name);
    errors.push({
      start,
      end: nameEnd,
      code: 'unknown-register',
      message: `there is no register ${name}; registers are r0 to r10 and w0 to w10${fix ? `; did you mean ${fix}?` : ''}`,
      ...(fix ? { fix: { title: `Change to ${fix}`, newText: fix, start, end: nameEnd } } : {}),
    });
    out.push({ kind: 'broken', start, end });
  } else if (value === undefined || exprEnd.at !== next) {
    const at = Math.min(exprEnd.at, next);
    errors.push({
      start: at === next ? start : buf.start[at]! - from,
      end: at === next ? end : buf.end[at]! - from,
      code: 'bad-expression',
      message: `\`${name} = …\` defines a constant: an expression of numbers and symbols is expected here`,
    });
    out.push({ kind: 'broken', start, end });
  } else {
    out.push({ kind: 'assign', start, end, name, nameEnd, value });
  }
  return next;
}

function suggestRegister(name: string): string | undefined {
  const number = Number(/\d+$/.exec(name)?.[0] ?? Number.NaN);
  return number >= 0 && number <= 10 && !/^[rw]/i.test(name) ? `r${number}` : undefined;
}

function parseDirective(text: string, from: number, i: number, out: Statement[]): number {
  const start = buf.start[i]! - from;
  const nameEnd = buf.end[i]! - from;
  const name = text.slice(buf.start[i], buf.end[i]);
  const next = statementEnd(i);
  const args: DirectiveArg[] = [];
  let at = i + 1;
  if ((name === '.section' || name === '.pushsection') && at < next && buf.kind[at] !== TokKind.str) {
    // a section's name may hold what is no token: `tp/syscalls/sys_enter`, `.text.f-1`
    const first = at;
    while (at < next && !(buf.kind[at] === TokKind.op && buf.value[at] === COMMA)) at++;
    if (at > first) args.push({ kind: 'raw', start: buf.start[first]! - from, end: buf.end[at - 1]! - from });
  }
  let afterComma = args.length === 0;
  while (at < next) {
    const kind = buf.kind[at]!;
    const value = buf.value[at]!;
    if (kind === TokKind.op && value === COMMA) {
      if (afterComma) args.push({ kind: 'empty', start: buf.start[at]! - from, end: buf.start[at]! - from });
      afterComma = true;
      at++;
      continue;
    }
    afterComma = false;
    const argStart = buf.start[at]! - from;
    if (kind === TokKind.str && !isExprOp(at + 1)) {
      args.push({ kind: 'string', start: argStart, end: buf.end[at]! - from });
      at++;
    } else if (
      kind === TokKind.op &&
      (value === AT || value === PERCENT) &&
      buf.kind[at + 1] === TokKind.word
    ) {
      const end = buf.end[at + 1]! - from;
      args.push({ kind: 'at', name: text.slice(from + argStart + 1, from + end), start: argStart, end });
      at += 2;
    } else {
      const expr = parseExpr(buf, text, from, at);
      if (expr !== undefined && exprEnd.at <= next) {
        args.push({ kind: 'expr', value: expr, start: argStart, end: buf.end[exprEnd.at - 1]! - from });
        at = exprEnd.at;
      } else {
        args.push({ kind: 'raw', start: argStart, end: buf.end[at]! - from });
        at++;
      }
    }
  }
  out.push({ kind: 'directive', start, end: buf.end[next - 1]! - from, name, nameEnd, args });
  return next;
}

const ADD = opId('+');
const SUB = opId('-');
function isExprOp(i: number): boolean {
  return buf.kind[i] === TokKind.op && (buf.value[i] === ADD || buf.value[i] === SUB);
}
