import type { ProgramTextLine, ProgramTextReply } from '#core/protocol/messages.ts';

/** Lines of the document before the program's first. */
export const HEADER_LINES = 1;
const SIGNS = { changed: '~', added: '+' } as const;

/** A program's text with all its lines, as the adapter gave it page by page. */
export type WholeProgram = Omit<ProgramTextReply, 'start' | 'currentLine' | 'stop'>;

/** A place in a source; `path` as stack frames name it, `line` from 0 as in the editor. */
export interface SourceLine {
  readonly path: string;
  readonly line: number;
}

/** The document that shows a program, and what its lines have to do with those of the source. Lines from 0. */
export interface ProgramDocument {
  readonly text: string;
  /** Lines with a slot number, and the column that it ends at. */
  readonly slots: { readonly lines: readonly number[]; readonly end: number };
  /** Where the instruction in a line of the document stands in its source. */
  sourceOf(line: number): SourceLine | undefined;
  /** Lines of the document that stand for a line of the source, ascending. */
  linesFor(source: SourceLine): readonly number[];
  /** What a line of the document is, in words; undefined for what is no instruction. */
  describe(line: number): string | undefined;
}

/** Lays a program out: a remark, then one line an instruction with its slot and how it came about. */
export function layOutProgram(program: WholeProgram): ProgramDocument {
  const { lines, files } = program;
  const width = String(lines.findLast(({ slot }) => slot !== undefined)?.slot ?? 0).length + 2;
  const bySource = new Map<string, number[]>();
  for (const [index, { source }] of lines.entries()) {
    const path = source === undefined ? undefined : files[source.file];
    if (source === undefined || path === undefined) continue;
    const key = keyOf({ path, line: source.line - 1 });
    const found = bySource.get(key) ?? [];
    bySource.set(key, found);
    found.push(index + HEADER_LINES);
  }
  const sourceOf = (line: number): SourceLine | undefined => {
    const source = lines[line - HEADER_LINES]?.source;
    const path = source === undefined ? undefined : files[source.file];
    return source === undefined || path === undefined ? undefined : { path, line: source.line - 1 };
  };
  return {
    text: [remark(program), ...lines.map((line) => textOf(line, width))].join('\n'),
    slots: {
      lines: lines.flatMap(({ slot }, index) => (slot === undefined ? [] : [index + HEADER_LINES])),
      end: width,
    },
    sourceOf,
    linesFor: (source) => bySource.get(keyOf(source)) ?? [],
    describe(line) {
      const shown = lines[line - HEADER_LINES];
      return shown === undefined ? undefined : describe(program, shown);
    },
  };
}

function textOf({ text, slot, mark }: ProgramTextLine, width: number): string {
  if (slot === undefined) return `${text}:`;
  return `${String(slot).padStart(width)}  ${mark === undefined ? ' ' : SIGNS[mark]} ${text}`;
}

/** Short enough for a narrow pane: the heading below it has the program's name. */
function remark({ form, lines, total }: WholeProgram): string {
  const cut = total > lines.length ? `; the first ${lines.length} of ${total} lines` : '';
  if (form === 'converted') return `; converted to eBPF${cut}`;
  const marks = new Set(lines.map(({ mark }) => mark));
  const legend = (['changed', 'added'] as const)
    .filter((mark) => marks.has(mark))
    .map((mark) => `${SIGNS[mark]} ${mark}`)
    .join(', ');
  return `; as executed: ${legend === '' ? 'nothing rewritten' : legend}${cut}`;
}

function describe({ form }: WholeProgram, { slot, origSlot, mark }: ProgramTextLine): string | undefined {
  if (slot === undefined) return undefined;
  const here = `Instruction ${slot}`;
  if (origSlot === undefined) return here;
  if (form === 'converted') return `${here}, made of the classic instruction ${origSlot}`;
  switch (mark) {
    case 'changed':
      return `${here}, in the place of instruction ${origSlot} as loaded`;
    case 'added':
      return `${here}, added for instruction ${origSlot} as loaded`;
    default:
      return slot === origSlot ? here : `${here}, instruction ${origSlot} as loaded`;
  }
}

/** Windows writes drive letters in either case. */
function keyOf({ path, line }: SourceLine): string {
  return `${foldDrive(path)}\n${line}`;
}

/** A path whose drive letter, if it has one, is in lower case: for comparing. */
export function foldDrive(path: string): string {
  return path.replace(/^[A-Za-z]:/, (drive) => drive.toLowerCase());
}
