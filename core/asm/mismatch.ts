import { type GrammarNode, STATEMENT_WORDS, type Terminal } from './grammar.ts';
import { OPS, type TokenBuffer, TokKind } from './lexer.ts';
import { match } from './match.ts';
import type { LineError } from './statement.ts';
import { suggest } from './suggest.ts';

/** Says why a statement fits no template, and what would. Only called for text that is wrong. */
export function explainMismatch(
  buf: TokenBuffer,
  text: string,
  base: number,
  first: number,
  next: number,
  dialects: number,
): LineError {
  const spell = (i: number): string => text.slice(buf.start[i], buf.end[i]);
  const range = (a: number, b: number) => ({ start: buf.start[a]! - base, end: buf.end[b]! - base });
  const whole = range(first, next - 1);
  if (match.constraint) return explainConstraint(match.constraint, buf, text, base, whole);
  if (match.otherDialect) {
    const [is, want] = dialects === 1 ? ['gnu', 'pseudoc'] : ['pseudoc', 'gnu'];
    return { ...whole, code: 'other-dialect', message: `this is the ${is} dialect; ${want} was asked for` };
  }
  const at = Math.max(match.failAt, first);
  if (at === first) return unknownStart(buf, spell, range, first, whole);
  if (at >= next) {
    const expected = match.failExpr || describe(match.failNodes);
    const end = buf.end[next - 1]! - base;
    return {
      start: buf.start[next - 1]! - base,
      end,
      code: 'incomplete-statement',
      message: `the statement ends too early: ${expected} is expected after \`${spell(next - 1)}\``,
    };
  }
  return unexpected(buf, spell, range, at);
}

type Range = { start: number; end: number };

function unknownStart(
  buf: TokenBuffer,
  spell: (i: number) => string,
  range: (a: number, b: number) => Range,
  first: number,
  whole: Range,
): LineError {
  const kind = buf.kind[first];
  const word = spell(first);
  if (kind === TokKind.word) {
    const where = range(first, first);
    if (/^%?[rw]\d+$/i.test(word)) {
      return {
        ...where,
        code: 'unknown-register',
        message: `there is no register ${word}; registers are r0 to r10 and w0 to w10`,
      };
    }
    const near = suggest(word, STATEMENT_WORDS);
    return {
      ...where,
      code: 'unknown-mnemonic',
      message: `unknown instruction \`${word}\`${near ? `; did you mean \`${near}\`?` : ''}`,
      ...fixOf(where, near),
    };
  }
  return {
    ...whole,
    code: 'unknown-statement',
    message: `no instruction, label or directive begins with \`${word}\``,
  };
}

function unexpected(
  buf: TokenBuffer,
  spell: (i: number) => string,
  range: (a: number, b: number) => Range,
  at: number,
): LineError {
  const nodes = match.failNodes;
  const kind = buf.kind[at];
  const word = spell(at);
  const where = range(at, at);
  const wants = (key: 'reg' | 'wreg') => nodes.some((n) => n[key] !== undefined);
  if (match.failExpr) {
    return {
      ...where,
      code: 'bad-expression',
      message: `${match.failExpr} is expected here, not \`${word}\``,
    };
  }
  if (kind === TokKind.wreg && wants('reg')) {
    const right = word.replace(/w/i, 'r');
    return {
      ...where,
      code: 'register-width',
      message: `a 64-bit register is expected here: ${right}, not ${word}`,
      ...fixOf(where, right),
    };
  }
  if (kind === TokKind.reg && wants('wreg')) {
    const right = `w${buf.value[at]}`;
    return {
      ...where,
      code: 'register-width',
      message: `a 32-bit register is expected here: ${right}, not ${word}`,
      ...fixOf(where, right),
    };
  }
  if (kind === TokKind.word) {
    if (/^%?[rw]\d+$/i.test(word)) {
      return {
        ...where,
        code: 'unknown-register',
        message: `there is no register ${word}; registers are r0 to r10 and w0 to w10`,
      };
    }
    const near = suggest(
      word,
      nodes.flatMap((n) => [...n.words.keys()]),
    );
    if (near) {
      return {
        ...where,
        code: 'unexpected-word',
        message: `\`${word}\` is not understood here; did you mean \`${near}\`?`,
        ...fixOf(where, near),
      };
    }
  }
  if (nodes.every((n) => n.ends.length > 0 && isLeaf(n))) {
    if (kind === TokKind.op && nodes.some((n) => n.ends.some((end) => end.row.id === 'mov64_reg'))) {
      const [dst, src] = match.regs;
      return {
        ...where,
        code: 'trailing-text',
        message: `one operation an instruction: \`r${dst} = r${src}; r${dst} ${word}= …\``,
      };
    }
    return {
      ...where,
      code: 'trailing-text',
      message: `the instruction is complete before \`${word}\`; statements are separated by \`;\` or a new line`,
    };
  }
  return {
    ...where,
    code: 'unexpected-token',
    message: `${describe(nodes)} is expected here, not \`${word}\``,
  };
}

function isLeaf(node: GrammarNode): boolean {
  return !node.hasOps && node.words.size === 0 && !node.reg && !node.wreg && !node.expr && !node.disp;
}

function fixOf(where: Range, newText: string | undefined): { fix?: NonNullable<LineError['fix']> } {
  return newText ? { fix: { title: `Change to ${newText}`, newText, ...where } } : {};
}

/** What may stand at some places of the grammar, in words. */
function describe(nodes: readonly GrammarNode[]): string {
  const parts = new Set<string>();
  for (const node of nodes) {
    if (node.reg && node.wreg) parts.add('a register');
    else if (node.reg) parts.add('a register (r0 to r10)');
    else if (node.wreg) parts.add('a register (w0 to w10)');
    if (node.expr) parts.add('a number or symbol');
    if (node.disp) parts.add('`+` or `-` and an offset');
    for (const word of node.words.keys()) parts.add(`\`${word}\``);
    for (const [id, next] of node.ops.entries()) if (next) parts.add(`\`${OPS[id]}\``);
    if (node.ends.length) parts.add('the end of the statement');
  }
  if (parts.has('a register')) {
    parts.delete('a register (r0 to r10)');
    parts.delete('a register (w0 to w10)');
  }
  const all = [...parts];
  const shown = all.slice(0, 6);
  if (shown.length < all.length) return `${shown.join(', ')} or the like`;
  if (shown.length < 2) return shown[0] ?? 'nothing';
  return `${shown.slice(0, -1).join(', ')} or ${shown.at(-1)}`;
}

function explainConstraint(
  end: Terminal,
  buf: TokenBuffer,
  text: string,
  base: number,
  whole: Range,
): LineError {
  const regs = end.regs;
  const spell = (n: number) => text.slice(buf.start[match.regTokens[n]!], buf.end[match.regTokens[n]!]);
  const at = (n: number): Range => ({
    start: buf.start[match.regTokens[n]!]! - base,
    end: buf.end[match.regTokens[n]!]! - base,
  });
  const fixedAt = regs.findIndex((binding, n) => typeof binding === 'number' && match.regs[n] !== binding);
  if (fixedAt >= 0) {
    const right = spell(fixedAt).replace(/\d+/, String(regs[fixedAt]));
    return {
      ...at(fixedAt),
      code: 'register-constraint',
      message: `this instruction uses ${right} here, not ${spell(fixedAt)}: \`${end.template}\``.replace(
        /[{}]/g,
        '',
      ),
      ...fixOf(at(fixedAt), right),
    };
  }
  const doubled = regs.findIndex(
    (binding, n) => regs.indexOf(binding) < n && match.regs[n] !== match.regs[regs.indexOf(binding)],
  );
  if (doubled < 0)
    return { ...whole, code: 'register-constraint', message: 'these registers do not go together' };
  const firstOne = regs.indexOf(regs[doubled]!);
  if (end.row.id.startsWith('atomic_')) {
    return {
      ...at(firstOne),
      code: 'register-constraint',
      message: `an atomic fetch leaves the old value in its source register: write ${spell(doubled)} here, not ${spell(firstOne)}`,
      ...fixOf(at(firstOne), spell(doubled)),
    };
  }
  return {
    ...at(doubled),
    code: 'register-constraint',
    message: `this instruction works in place: write ${spell(firstOne)} on both sides (copy first: ${spell(firstOne)} = ${spell(doubled)})`,
    ...fixOf(at(doubled), spell(firstOne)),
  };
}
