import { pathToFileURL } from 'node:url';
import { TABLE_ROWS, type TableRow } from '../core/isa/decode.ts';
import { REGISTERS } from '../core/isa/registers.ts';
import { writeGenerated } from './lib/generated.ts';
import { languageReference } from './lib/language-reference.ts';

/** The chapters of the reference, in order: every row belongs to the first that takes it. */
const CHAPTERS: readonly { readonly title: string; readonly text: string; takes(row: TableRow): boolean }[] =
  [
    {
      title: 'Only in rewritten programs',
      text: 'The kernel puts these in place of others before a program runs; a program that holds one is refused.',
      takes: (row) => row.rewrittenOnly === true,
    },
    {
      title: 'Added by Linux',
      text: 'Not part of RFC 9669.',
      takes: (row) => row.group === 'kernel',
    },
    {
      title: 'Byte order',
      text: '`le` and `be` convert between the order of the host and the named one; we are a little-endian host. `bswap` always reverses.',
      takes: (row) => isAlu(row) && op(row) === 0xd0,
    },
    {
      title: 'Arithmetic, 64 bits',
      text: 'An immediate is sign-extended to 64 bits. Shifts use the low 6 bits of the count.',
      takes: (row) => cls(row) === 7,
    },
    {
      title: 'Arithmetic, 32 bits',
      text: 'The low halves are operated on and the upper half of the destination becomes zero. Shifts use the low 5 bits of the count.',
      takes: (row) => cls(row) === 4,
    },
    {
      title: 'Calls and exit',
      text: 'Arguments in R1 to R5, the result in R0. R6 to R9 keep their values.',
      takes: (row) => row.flow === 'call' || row.flow === 'exit',
    },
    {
      title: 'Jumps, 64 bits',
      text: '`pc` is the instruction that follows; distances count slots of 8 bytes. Comparisons with `s` are signed.',
      takes: (row) => cls(row) === 5,
    },
    {
      title: 'Jumps, 32 bits',
      text: 'The low halves are compared. `gotol` jumps by its 32-bit immediate.',
      takes: (row) => cls(row) === 6,
    },
    {
      title: '64-bit immediates',
      text: 'Two slots: the second holds `next_imm`, and zeroes elsewhere.',
      takes: (row) => row.wide === true,
    },
    {
      title: 'Packet access',
      text: 'Deprecated; socket and traffic control filters only. The packet is read in network byte order.',
      takes: (row) => row.group === 'packet',
    },
    {
      title: 'Atomic operations',
      text: 'On naturally aligned memory of 4 or 8 bytes; which operation is told by the immediate.',
      takes: (row) => row.group.startsWith('atomic'),
    },
    {
      title: 'Loads and stores',
      text: 'Loads of less than 8 bytes zero-extend, those from an `s` type sign-extend.',
      takes: () => true,
    },
  ];

const ORDER = [
  'Arithmetic, 64 bits',
  'Arithmetic, 32 bits',
  'Byte order',
  'Jumps, 64 bits',
  'Jumps, 32 bits',
  'Calls and exit',
  'Loads and stores',
  '64-bit immediates',
  'Atomic operations',
  'Packet access',
  'Added by Linux',
  'Only in rewritten programs',
];

const cls = (row: TableRow) => row.opcode & 7;
const op = (row: TableRow) => row.opcode & 0xf0;
const isAlu = (row: TableRow) => cls(row) === 4 || cls(row) === 7;

/** The ISA reference, one table row an instruction, grouped. */
export function isaReference(): string {
  const rows = new Map<string, TableRow[]>();
  for (const row of TABLE_ROWS) {
    const chapter = CHAPTERS.find((candidate) => candidate.takes(row));
    if (!chapter) throw new Error(`no chapter takes ${row.id}`);
    rows.set(chapter.title, [...(rows.get(chapter.title) ?? []), row]);
  }
  const parts = [PREFACE, registerTable()];
  for (const title of ORDER) {
    const text = CHAPTERS.find((chapter) => chapter.title === title)?.text ?? '';
    parts.push(`## ${title}\n\n${text}\n\n${insnTable(rows.get(title) ?? [])}`);
  }
  return `${parts.join('\n\n')}\n`;
}

const PREFACE = `<!-- Generated from core/isa/table.ts by scripts/generate-isa-docs.ts; do not edit. -->

# Instruction set

All instructions of RFC 9669 and what Linux adds, ${TABLE_ROWS.length} in all. An instruction is 64 bits, little endian:

\`\`\`
 byte  0        1          2..3      4..7
      +--------+----+----+----------+----------------------+
      | opcode |src |dst | off (s16)| imm (s32)            |
      +--------+----+----+----------+----------------------+
                7..4 3..0
\`\`\`

In the tables, a number under **src**, **off** or **imm** is required there: another one is a different
instruction or a reserved field that is not zero. \`r\` is read, \`w\` written. **Since** is the first
\`-mcpu\` version for which LLVM uses the instruction (\`kernel\`: Linux only), **group** the conformance group of
RFC 9669. The two dialects are LLVM's pseudo-C and GNU as; where the second has no word, the first is used.
In them, {dst} and {src} stand for registers, {wdst} and {wsrc} for their low halves (\`w1\`), {imm} for a
number, {mem} and {off} for a signed offset that may be left out (\`+ 4\`, \`+4\`), {target} for a label or a
number of slots.`;

function registerTable(): string {
  const lines = REGISTERS.map(
    ({ name, role }) => `| ${name === 'ax' ? 'AX' : name.toUpperCase()} | ${role} |`,
  );
  return `## Registers\n\n| register | role |\n|---|---|\n${lines.join('\n')}`;
}

function insnTable(rows: readonly TableRow[]): string {
  const head = '| pseudo-C | GNU | opcode | dst | src | off | imm | meaning | since | group | source |';
  const lines = rows.map((row) => {
    const opcode = `0x${row.opcode.toString(16).padStart(2, '0')}`;
    const cells = [
      spellings(row.pseudoc, row.pseudocAlso),
      spellings(row.gnu, row.gnuAlso),
      opcode,
      ...[row.dst, row.src, row.off, row.imm].map(field),
      row.meaning.replaceAll(/[*<]/g, '\\$&'),
      row.isa,
      row.group,
      row.source,
    ];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  return [head, '|---|---|---|---|---|---|---|---|---|---|---|', ...lines].join('\n');
}

/** A template and the further spellings that are accepted for it. */
function spellings(template: string, also: readonly string[] = []): string {
  return [template, ...also]
    .filter((text) => text !== '')
    .map((text) => `\`${text}\``)
    .join('<br>');
}

function field(value: string | number): string {
  if (typeof value === 'string') return value;
  return value > 9 ? `0x${value.toString(16)}` : String(value);
}

/** `generate-isa-docs [--check]`: the instruction set's reference and the language's. */
export function main(args: readonly string[]): number {
  const isa = writeGenerated('docs/isa.md', isaReference(), args);
  return writeGenerated('docs/language.md', languageReference(), args) || isa;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  process.exitCode = main(process.argv.slice(2));
