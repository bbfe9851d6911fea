import type { InsnRow } from '../isa/row.ts';
import { INSN_TABLE, type InsnId } from '../isa/table.ts';
import { type Operand, parseTemplate } from '../isa/template.ts';
import { OPS, opId } from './lexer.ts';

/**
 * The templates of all rows and both source dialects, compiled into one tree that is walked token by
 * token. Nothing in it is per statement: matching is array and map look-ups.
 */

/** Which dialect a template belongs to. */
export const DIALECT_PSEUDOC = 1;
export const DIALECT_GNU = 2;

/** Where an operand's value goes. A number is a register that must stand there. */
export type RegBinding = 'dst' | 'src' | number;
/** Operands that are expressions, by their names in the table. */
export type ExprBinding = Exclude<Operand, 'dst' | 'src' | 'wdst' | 'wsrc'>;

/** One template's end: the row, and what the registers and expressions on the way to it mean. */
export interface Terminal {
  readonly row: InsnRow & { readonly id: InsnId };
  /** Index into `INSN_TABLE`. */
  readonly rowIndex: number;
  /** `DIALECT_…` bits. */
  dialect: number;
  readonly regs: readonly RegBinding[];
  readonly exprs: readonly ExprBinding[];
  readonly template: string;
}

/** A place between two tokens of the templates. */
export interface GrammarNode {
  /** By operator id. */
  readonly ops: (GrammarNode | undefined)[];
  readonly words: Map<string, GrammarNode>;
  reg: GrammarNode | undefined;
  wreg: GrammarNode | undefined;
  /** Any expression. */
  expr: GrammarNode | undefined;
  /** A signed displacement, which may be left out. */
  disp: GrammarNode | undefined;
  readonly ends: Terminal[];
  hasOps: boolean;
}

const DISPLACEMENTS = new Set<Operand>(['mem', 'off', 'indoff', 'kmem']);

function createNode(): GrammarNode {
  return {
    ops: new Array<GrammarNode | undefined>(OPS.length).fill(undefined),
    words: new Map(),
    reg: undefined,
    wreg: undefined,
    expr: undefined,
    disp: undefined,
    ends: [],
    hasOps: false,
  };
}

/** Where every statement begins. */
export const GRAMMAR: GrammarNode = createNode();
for (const [rowIndex, row] of (INSN_TABLE as readonly (InsnRow & { id: InsnId })[]).entries()) {
  // what gnu has no word for is written as in pseudoc there too
  const dialects = row.gnu ? DIALECT_PSEUDOC : DIALECT_PSEUDOC | DIALECT_GNU;
  for (const text of [row.pseudoc, ...(row.pseudocAlso ?? [])]) add(text, row, rowIndex, dialects);
  if (row.gnu) for (const text of [row.gnu, ...(row.gnuAlso ?? [])]) add(text, row, rowIndex, DIALECT_GNU);
}

/** Every word a statement may begin with: mnemonics and keywords, per dialect. */
export const STATEMENT_WORDS: readonly string[] = [...GRAMMAR.words.keys()];

function add(template: string, row: InsnRow & { id: InsnId }, rowIndex: number, dialect: number): void {
  let node = GRAMMAR;
  const regs: RegBinding[] = [];
  const exprs: ExprBinding[] = [];
  for (const token of parseTemplate(template)) {
    if (token.kind === 'op') {
      const id = opId(token.text);
      node.hasOps = true;
      const next = node.ops[id] ?? createNode();
      node.ops[id] = next;
      node = next;
      continue;
    }
    if (token.kind !== 'operand') {
      const fixed = /^([rw])(\d+)$/.exec(token.text);
      if (!fixed) {
        const next = node.words.get(token.text) ?? createNode();
        node.words.set(token.text, next);
        node = next;
        continue;
      }
      regs.push(Number(fixed[2]));
      node = registerEdge(node, fixed[1] === 'w');
      continue;
    }
    const { operand } = token;
    if (operand === 'dst' || operand === 'src') {
      regs.push(operand);
      node = registerEdge(node, false);
    } else if (operand === 'wdst' || operand === 'wsrc') {
      regs.push(operand === 'wdst' ? 'dst' : 'src');
      node = registerEdge(node, true);
    } else {
      exprs.push(operand);
      const key = DISPLACEMENTS.has(operand) ? 'disp' : 'expr';
      const next: GrammarNode = node[key] ?? createNode();
      node[key] = next;
      node = next;
    }
  }
  const same = node.ends.find((end) => end.row === row && `${end.regs}/${end.exprs}` === `${regs}/${exprs}`);
  if (same) same.dialect |= dialect;
  else node.ends.push({ row, rowIndex, dialect, regs, exprs, template });
}

function registerEdge(node: GrammarNode, half: boolean): GrammarNode {
  const key = half ? 'wreg' : 'reg';
  const next: GrammarNode = node[key] ?? createNode();
  node[key] = next;
  return next;
}

/** The row at an index of `INSN_TABLE`. */
export function rowByIndex(index: number): InsnRow & { readonly id: InsnId } {
  return INSN_TABLE[index]!;
}
