import type { Builder, FixupKind, Where } from './builder.ts';
import type { Expr } from './expr.ts';
import type { ExprBinding } from './grammar.ts';
import type { InsnStatement } from './statement.ts';

/** Writes one instruction into the current section; what is not known yet becomes a fixup. */
export function emitInsn(b: Builder, statement: InsnStatement, lineStart: number, lineNumber: number): void {
  const { section } = b;
  const { row, rowIndex, exprs } = statement.terminal;
  const at = section.reserve(row.wide ? 16 : 8);
  const { view } = section;
  const start = lineStart + statement.start;
  if (at % 8 !== 0) {
    b.report(
      { start, end: lineStart + statement.end },
      'misaligned-instruction',
      `an instruction begins at a multiple of 8 bytes, this one at ${at}; put \`.p2align 3\` before it`,
    );
  }
  if (section.firstInsn < 0) section.firstInsn = b.insnStart.length;
  const insnOff = Math.floor(at / 8);
  section.lineInfo.push({ insnOff, file: 0, line: lineNumber + 1, column: statement.start + 1 });
  if (b.pendingLoc) {
    section.locInfo.push({ insnOff, ...b.pendingLoc });
    b.pendingLoc = undefined;
  }
  b.insnStart.push(start);
  b.insnEnd.push(lineStart + statement.end);
  b.insnSection.push(section.index);
  b.insnOff.push(insnOff);
  b.insnRow.push(rowIndex);

  view.setUint8(at, row.opcode);
  view.setUint8(at + 1, (statement.dst & 15) | ((statement.src & 15) << 4));
  if (typeof row.off === 'number') view.setInt16(at + 2, row.off, true);
  if (typeof row.imm === 'number') view.setInt32(at + 4, row.imm, true);
  if (row.id === 'callx' && callxInImm(b)) {
    view.setUint8(at + 1, 0);
    view.setInt32(at + 4, statement.dst, true);
  }
  if (exprs.length > 0) operand(b, statement, lineStart, 0, exprs[0]!, statement.e0!, at);
  if (exprs.length > 1) operand(b, statement, lineStart, 1, exprs[1]!, statement.e1!, at);
}

/**
 * LLVM up to 18 wrote the register of `callx` into `imm`, later ones into `dst_reg`. With `-g` the text
 * names its compiler; without, only up to 15 can be told, by alignments of data that show no fill value.
 */
function callxInImm(b: Builder): boolean {
  b.callxInImm ??= decideCallx(b.text);
  return b.callxInImm;
}

function decideCallx(text: string): boolean {
  const producer = /\bclang version (\d+)\./.exec(text)?.[1];
  if (producer !== undefined) return Number(producer) <= 18;
  return (
    /^\t\.file\t"/m.test(text) &&
    /^\t\.p2align\t\d+\n[^\s:]+:[^\n]*\n\t\.(quad|long|short|byte|zero|asciz)\t/m.test(text)
  );
}

const FIXUP: Readonly<Record<ExprBinding, FixupKind>> = {
  mem: 'off16',
  off: 'off16',
  kmem: 'off16',
  target: 'jump16',
  ltarget: 'jump32',
  imm: 'imm32',
  ximm: 'imm32',
  indoff: 'imm32',
  var: 'imm32',
  as_dst: 'imm32',
  as_src: 'imm32',
  kfunc: 'imm32',
  kfd: 'off16',
  helper: 'call',
  func: 'func',
  relfunc: 'func',
  imm64: 'imm64',
  ximm64: 'imm64',
  next_imm: 'next_imm',
  mapfd: 'map',
  mapidx: 'map',
};

function operand(
  b: Builder,
  statement: InsnStatement,
  lineStart: number,
  n: number,
  binding: ExprBinding,
  expr: Expr,
  at: number,
): void {
  const { section } = b;
  const where = (): Where => ({ lineStart, statement, operand: n, start: 0, end: 0 });
  if (typeof expr === 'number') {
    const { view } = section;
    switch (binding) {
      case 'mem':
      case 'off':
      case 'target':
        if (expr >= -0x8000 && expr <= 0x7fff) {
          view.setInt16(at + 2, expr, true);
          return;
        }
        break;
      case 'imm':
      case 'helper':
      case 'ltarget':
        if (expr >= -0x80000000 && expr <= 0x7fffffff) {
          view.setInt32(at + 4, expr, true);
          return;
        }
        break;
      case 'as_dst':
      case 'as_src':
        if (expr >= 0 && expr <= 0xffff) {
          const old = view.getInt32(at + 4, true);
          view.setInt32(at + 4, binding === 'as_dst' ? old | (expr << 16) : old | expr, true);
          return;
        }
        b.report(
          b.rangeOf(where()),
          'address-space-range',
          `an address space is a number from 0 to 65535, not ${expr}`,
        );
        return;
      default:
        break;
    }
  }
  const bound = typeof expr === 'object' ? b.bind(expr) : expr;
  const place = where();
  b.fixups.push({ kind: FIXUP[binding], section, offset: at, expr: bound, where: place });
}
