import type { Assembled } from '../asm/assemble.ts';
import type { AsmLine } from '../asm/parse.ts';
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

/** Directives that neither write bytes nor leave the section. */
const SILENT = /^\.(globl|global|local|weak|hidden|type|size|loc|file|cfi_\w+|equ|set|map|program)$/;

/**
 * Where instructions stand that were written as numbers (`.quad 0x95`), which the assembler does not count as
 * instructions. Follows the text from each instruction and label on; behind anything whose size cannot be told
 * (`.zero`, `.p2align`, another section) nothing is known until the next of them.
 */
export function createDataMap(
  assembled: Assembled,
): (section: number, slot: InsnIndex) => TextRange | undefined {
  let ranges: ReadonlyMap<string, TextRange> | undefined;
  return (section, slot) => {
    ranges ??= dataRanges(assembled);
    return ranges.get(`${section}:${slot}`);
  };
}

function dataRanges(assembled: Assembled): Map<string, TextRange> {
  const found = new Map<string, TextRange>();
  let section: number | undefined;
  let offset = 0;
  for (const line of assembled.tree.lines) {
    for (const statement of line.parsed.statements) {
      if (statement.kind === 'insn') {
        const insn = assembled.insnAt(line.start + statement.start);
        section = insn?.section;
        offset = ((insn?.insnOff ?? 0) + (insn?.row.startsWith('lddw') ? 2 : 1)) * INSN_SIZE;
      } else if (statement.kind === 'label') {
        const label = assembled.definitions.get(statement.name);
        if (label?.insnOff === undefined || label.range.start !== line.start + statement.start) continue;
        section = label.section;
        offset = label.insnOff * INSN_SIZE;
      } else if (statement.kind === 'directive') {
        const width = WIDTHS[statement.name];
        if (width === undefined) {
          if (!SILENT.test(statement.name)) section = undefined;
          continue;
        }
        if (section === undefined) continue;
        offset = addData(found, section, offset, { line, statement, width });
      }
    }
  }
  return found;
}

/** Notes the slots that begin in the statement's bytes; answers the offset behind them. */
function addData(
  found: Map<string, TextRange>,
  section: number,
  offset: number,
  { line, statement, width }: { line: AsmLine; statement: DirectiveStatement; width: number },
): number {
  const end = offset + width * statement.args.length;
  for (let at = Math.ceil(offset / INSN_SIZE) * INSN_SIZE; at < end; at += INSN_SIZE) {
    const argument = width === INSN_SIZE ? statement.args[(at - offset) / INSN_SIZE] : undefined;
    const { start, end: stop } = argument ?? statement;
    found.set(`${section}:${at / INSN_SIZE}`, { start: line.start + start, end: line.start + stop });
  }
  return end;
}
