import { type Expr, exprEnd, parseExpr } from './expr.ts';
import { GRAMMAR, type GrammarNode, type Terminal } from './grammar.ts';
import { OPS, opId, type TokenBuffer, TokKind } from './lexer.ts';

/** Matches the tokens of a statement against the grammar's tree. */

/** What the walk found; used again for every statement. Token indexes refer to the buffer. */
export interface Match {
  terminal: Terminal | undefined;
  nRegs: number;
  /** Register numbers in the order they stand in. */
  readonly regs: Int32Array;
  readonly regTokens: Int32Array;
  nExprs: number;
  readonly exprs: Expr[];
  /** First token of each expression, and the one behind it; equal for a displacement left out. */
  readonly exprFrom: Int32Array;
  readonly exprTo: Int32Array;
  /** Tokens that were taken as words of a template. */
  readonly literals: number[];
  /** Token behind the instruction. */
  next: number;
  /** Where no template went on: the furthest token, and the places in the grammar that were reached there. */
  failAt: number;
  failNodes: GrammarNode[];
  /** An expression broke off at `failAt`: what is missing there; empty otherwise. */
  failExpr: string;
  /** Templates whose tokens fit but whose registers do not (`r1 = -r2`). */
  constraint: Terminal | undefined;
  /** The end was reached in the other dialect only. */
  otherDialect: Terminal | undefined;
}

/** The scratch the matcher writes to. */
export const match: Match = {
  terminal: undefined,
  nRegs: 0,
  regs: new Int32Array(8),
  regTokens: new Int32Array(8),
  nExprs: 0,
  exprs: new Array<Expr>(4).fill(0),
  exprFrom: new Int32Array(4),
  exprTo: new Int32Array(4),
  literals: [],
  next: 0,
  failAt: 0,
  failNodes: [],
  failExpr: '',
  constraint: undefined,
  otherDialect: undefined,
};

const PLUS = opId('+');
const MINUS = opId('-');
const startsExpr = OPS.map((op) => op === '+' || op === '-' || op === '~' || op === '!' || op === '(');

let buf: TokenBuffer;
let text = '';
let base = 0;
let mask = 3;

/**
 * Matches an instruction from token `at` of `tokens` (which were lexed from `source`; `lineStart` is
 * subtracted from positions). `dialects`: which may be used. True when a template fits, then
 * `match.terminal` and the operands are set; else `match.fail…` say why not.
 */
export function matchInsn(
  tokens: TokenBuffer,
  source: string,
  lineStart: number,
  at: number,
  dialects: number,
): boolean {
  buf = tokens;
  text = source;
  base = lineStart;
  mask = dialects;
  match.terminal = undefined;
  match.nRegs = 0;
  match.nExprs = 0;
  match.failAt = -1;
  match.failExpr = '';
  match.constraint = undefined;
  match.otherDialect = undefined;
  if (match.literals.length) match.literals.length = 0;
  return walk(GRAMMAR, at);
}

function walk(node: GrammarNode, i: number): boolean {
  const kind = buf.kind[i]!;
  if (kind === TokKind.op) {
    if (node.hasOps) {
      const next = node.ops[buf.value[i]!];
      if (next !== undefined && walk(next, i + 1)) return true;
    }
  } else if (kind === TokKind.reg || kind === TokKind.wreg) {
    const next = kind === TokKind.reg ? node.reg : node.wreg;
    if (next !== undefined) {
      const n = match.nRegs++;
      match.regs[n] = buf.value[i]!;
      match.regTokens[n] = i;
      if (walk(next, i + 1)) return true;
      match.nRegs = n;
    }
  } else if (kind === TokKind.word) {
    if (node.words.size !== 0) {
      const next = node.words.get(text.slice(buf.start[i]!, buf.end[i]!));
      if (next !== undefined) {
        match.literals.push(i);
        if (walk(next, i + 1)) return true;
        match.literals.pop();
      }
    }
  } else if (kind === TokKind.num && node.words.size !== 0) {
    // a number that the template spells out: `movs %r1, %r2, 8`
    const next = node.words.get(String(buf.value[i]));
    if (next !== undefined && walk(next, i + 1)) return true;
  } else if ((kind === TokKind.end || kind === TokKind.separator) && node.ends.length !== 0) {
    return finish(node, i);
  }
  if (node.disp !== undefined) {
    const n = match.nExprs++;
    match.exprFrom[n] = i;
    if (kind === TokKind.op && (buf.value[i] === PLUS || buf.value[i] === MINUS)) {
      const value = parseExpr(buf, text, base, i);
      if (value !== undefined) {
        match.exprs[n] = value;
        match.exprTo[n] = exprEnd.at;
        if (walk(node.disp, exprEnd.at)) return true;
      } else failInExpr(exprEnd.at);
    } else {
      match.exprs[n] = 0;
      match.exprTo[n] = i;
      if (walk(node.disp, i)) return true;
    }
    match.nExprs = n;
  }
  if (node.expr !== undefined && (kind === TokKind.op ? startsExpr[buf.value[i]!] : isValue(kind))) {
    const value = parseExpr(buf, text, base, i);
    if (value !== undefined) {
      const n = match.nExprs++;
      match.exprs[n] = value;
      match.exprFrom[n] = i;
      match.exprTo[n] = exprEnd.at;
      if (walk(node.expr, exprEnd.at)) return true;
      match.nExprs = n;
    } else failInExpr(exprEnd.at);
  }
  fail(node, i);
  return false;
}

function isValue(kind: number): boolean {
  return kind === TokKind.num || kind === TokKind.word || kind === TokKind.localRef || kind === TokKind.str;
}

function failInExpr(i: number): void {
  if (i < match.failAt) return;
  if (i > match.failAt) match.failNodes = [];
  match.failAt = i;
  match.failExpr = exprEnd.missing;
}

function fail(node: GrammarNode, i: number): void {
  if (i > match.failAt) {
    match.failAt = i;
    match.failNodes = [node];
    match.failExpr = '';
  } else if (i === match.failAt && !match.failNodes.includes(node)) {
    match.failNodes.push(node);
  }
}

function finish(node: GrammarNode, i: number): boolean {
  for (const end of node.ends) {
    if ((end.dialect & mask) === 0) {
      match.otherDialect = end;
      continue;
    }
    if (!registersFit(end)) {
      match.constraint = end;
      continue;
    }
    match.terminal = end;
    match.next = i;
    return true;
  }
  fail(node, i);
  return false;
}

/** Whether registers that a template names twice, or by number, are those. */
function registersFit(end: Terminal): boolean {
  let dst = -1;
  let src = -1;
  for (let n = 0; n < end.regs.length; n++) {
    const binding = end.regs[n]!;
    const reg = match.regs[n]!;
    if (binding === 'dst') {
      if (dst >= 0 && dst !== reg) return false;
      dst = reg;
    } else if (binding === 'src') {
      if (src >= 0 && src !== reg) return false;
      src = reg;
    } else if (binding !== reg) return false;
  }
  return true;
}
