import type { Assembled } from '../asm/assemble.ts';
import { type AsmLine, lineIndexAt } from '../asm/parse.ts';
import type { DirectiveStatement } from '../asm/statement.ts';
import { INSN_SIZE, type InsnIndex } from '../isa/insn.ts';
import type { TextRange } from '../object/object.ts';

/** Bytes of one argument of the directives that write numbers. */
const WIDTHS: Readonly<Record<string, number>> = {
  '.byte': 1,
  '.short': 2,
  '.half': 2,
  '.hword': 2,
  '.2byte': 2,
  '.long': 4,
  '.int': 4,
  '.word': 4,
  '.4byte': 4,
  '.quad': 8,
  '.8byte': 8,
};

/**
 * Where an instruction stands that was written as a number (`.quad 0x95`), which the assembler does not count as
 * an instruction: looks for it behind the nearest instruction or label before it. Undefined where it cannot be told.
 */
export function rangeOfData(assembled: Assembled, section: number, slot: InsnIndex): TextRange | undefined {
  const anchor = anchorBefore(assembled, section, slot);
  if (anchor === undefined) return undefined;
  const { lines } = assembled.tree;
  let offset = anchor.slot * INSN_SIZE;
  for (let n = lineIndexAt(assembled.tree, anchor.end); n < lines.length; n++) {
    const line = lines[n];
    if (line === undefined) return undefined;
    for (const statement of line.parsed.statements) {
      if (
        line.start + statement.start < anchor.end ||
        statement.kind === 'label' ||
        statement.kind === 'assign'
      )
        continue;
      const width = statement.kind === 'directive' ? WIDTHS[statement.name] : undefined;
      if (statement.kind !== 'directive' || width === undefined) return undefined;
      const end = offset + width * statement.args.length;
      if (slot * INSN_SIZE < end)
        return rangeInside(line, statement, Math.floor((slot * INSN_SIZE - offset) / width));
      offset = end;
    }
  }
  return undefined;
}

function rangeInside(line: AsmLine, statement: DirectiveStatement, argument: number): TextRange {
  const isWhole = WIDTHS[statement.name] === INSN_SIZE;
  const { start, end } = (isWhole ? statement.args[argument] : undefined) ?? statement;
  return { start: line.start + start, end: line.start + end };
}

/** A place in the text and the slot that the next thing behind it fills. */
function anchorBefore(
  assembled: Assembled,
  section: number,
  slot: InsnIndex,
): { end: number; slot: InsnIndex } | undefined {
  for (let before = slot - 1; before >= 0; before--) {
    const range = assembled.rangeOfInsn(section, before);
    if (range === undefined) continue;
    const isWide = assembled.insnAt(range.start)?.row.startsWith('lddw') === true;
    return { end: range.end, slot: before + (isWide ? 2 : 1) };
  }
  const label = [...assembled.definitions.values()].find(
    (one) => one.section === section && one.insnOff === 0,
  );
  return label === undefined ? undefined : { end: label.range.end, slot: 0 };
}
