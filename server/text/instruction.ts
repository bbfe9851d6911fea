import { hexText } from '#core/bytes/hex.ts';
import type { Decoded, TableRow } from '#core/isa/decode.ts';
import { helperById } from '#core/isa/helpers.ts';
import { INSN_SIZE } from '#core/isa/insn.ts';
import type { ConformanceGroup, InsnRow, IsaVersion, RegField } from '#core/isa/row.ts';
import { opcodeWords } from './opcode-words.ts';

/** Names that stand in for numbers in what an instruction does, where the source has them. */
export interface InsnNames {
  /** Where a jump or call goes. */
  readonly target?: string | undefined;
  /** What a wide load loads: a map, a function, a variable. */
  readonly symbol?: string | undefined;
}

/** What an instruction does. */
export interface FilledMeaning {
  /** `r1 = *(u32 *)(r2 + 4)` for the table's `dst = *(u32 *)(src + off)`. */
  readonly code: string;
  /** What else happens, as sentences. */
  readonly notes: readonly string[];
}

/** What an instruction does, in the table's words with the operands of this one filled in. */
function filledMeaning(decoded: Decoded, row: InsnRow, names: InsnNames = {}): FilledMeaning {
  const { insn, imm64 } = decoded;
  const isLow = row.meaning.startsWith(ON_LOW_HALVES);
  const name = isLow ? 'w' : 'r';
  const fields: Readonly<Record<string, string>> = {
    dst: `${name}${insn.dst}`,
    src: `${name}${insn.src}`,
    off: String(insn.off),
    imm: String(insn.imm),
    imm64: names.symbol ?? (imm64 === undefined ? '?' : `0x${imm64.toString(16)}`),
    next_imm: String(decoded.nextImm ?? 0),
  };
  const isUnsigned = / [|^&]=? | [<>]=? | [/%] /.test(row.meaning);
  const [code = '', ...notes] = row.meaning
    .slice(isLow ? ON_LOW_HALVES.length : 0)
    .replace('the upper half of dst', `the upper half of r${insn.dst}`)
    .replace(/\([us]32\)(dst|src)/g, (_, field) => `w${field === 'dst' ? insn.dst : insn.src}`)
    .replace(/\(u32\)imm/g, insn.imm < 0 ? `0x${(insn.imm >>> 0).toString(16)}` : 'imm')
    .replace(/\(s32\)imm/g, 'imm')
    .replace(
      /sext64\(imm\)/g,
      isUnsigned && insn.imm < 0 ? `0x${BigInt.asUintN(64, BigInt(insn.imm)).toString(16)}` : 'imm',
    )
    .replace(/helper imm\(.*\)/, () => helperCall(insn.imm))
    .replace(
      /program-local function at pc \+ imm \+ 1 ?/,
      names.target ?? `function at pc + ${insn.imm + 1} `,
    )
    .replace(/pc \+= (off|imm)/, (step) =>
      names.target === undefined ? step : `goto ${names.target} (${step})`,
    )
    .split('; ');
  const fill = (text: string) => {
    return text
      .replace(/\b(imm64|next_imm|dst|src|off|imm)\b/g, (word) => fields[word] ?? word)
      .replace(/\+ -(\d)/g, '- $1');
  };
  return {
    code: fill(code),
    // A register keeps its small letter at the start of a sentence.
    notes: notes.map((note) => `${fill(note).replace(/^[a-z](?!\d)/, (letter) => letter.toUpperCase())}.`),
  };
}

/** The same as one line of Markdown. */
export function meaningMarkdown(decoded: Decoded, row: InsnRow, names: InsnNames = {}): string {
  const { code, notes } = filledMeaning(decoded, row, names);
  return [`\`${code}\``, ...notes].join(notes.length > 0 ? ' — ' : '');
}

const ON_LOW_HALVES = 'on the low halves: ';

/** The call with the registers that this helper takes. */
function helperCall(id: number): string {
  const helper = helperById(id);
  if (helper === undefined) return `helper ${id}(r1, r2, r3, r4, r5)`;
  const registers = helper.args.map((_, at) => `r${at + 1}`);
  return `${helper.name}(${[...registers, ...(helper.variadic ? ['…'] : [])].join(', ')})`;
}

/**
 * The encoding as a Markdown table: a row of bytes as they lie in memory for each slot, and below it what
 * the fields say (DST, SRC, OFF and IMM are the kernel's names for them).
 */
function encodingTable(decoded: Decoded): string {
  const { insn } = decoded;
  const rows = ['| opcode | dst/src | off | imm |', '|:--|:--|:--|:--|'];
  rows.push(bytesRow(insn.opcode, insn.dst | (insn.src << 4), insn.off, insn.imm));
  rows.push(
    `| \`${opcodeWords(insn.opcode).replaceAll('|', '\\|')}\` | DST=${field(decoded.row?.dst, insn.dst)} SRC=${field(decoded.row?.src, insn.src)} | OFF=${insn.off} | IMM=${numberText(insn.imm)} |`,
  );
  if (decoded.length === 2) {
    rows.push(bytesRow(0, 0, 0, decoded.nextImm ?? 0));
    rows.push(`| second slot | | | next_imm=${numberText(decoded.nextImm ?? 0)} |`);
  }
  return rows.join('\n');
}

/** ISA version, conformance group and reference of a row, in one line of Markdown. */
export function rowFacts(row: InsnRow): string {
  return `${ISA_TEXT[row.isa]} · ${groupText(row.group)} · ${sourceLink(row.source)}`;
}

/** A table row's source as Markdown, RFC sections as links. */
function sourceLink(source: string): string {
  const rfc = /^RFC 9669 ([\d.]+)$/.exec(source);
  if (rfc === null) return source.replace(/([\w/.-]+\.[hc])\b/g, '`$1`');
  return `[RFC 9669, section ${rfc[1]}](https://www.rfc-editor.org/rfc/rfc9669#section-${rfc[1]})`;
}

/** Everything about one instruction, as Markdown. */
export function instructionMarkdown(
  decoded: Decoded,
  row: TableRow,
  text: string,
  names: InsnNames = {},
): string {
  const size = decoded.length * INSN_SIZE;
  const slots = decoded.length === 2 ? 'slots' : 'slot';
  return [
    `\`\`\`bpf\n${text}\n\`\`\``,
    meaningMarkdown(decoded, row, names),
    encodingTable(decoded),
    `${size} bytes (${decoded.length} ${slots}) · ${rowFacts(row)}`,
  ].join('\n\n');
}

/** A register where the field names one, else the number that stands there. */
function field(use: RegField | undefined, value: number): string {
  return typeof use === 'string' ? `r${value}` : String(value);
}

function bytesRow(opcode: number, registers: number, off: number, imm: number): string {
  return `| \`${hexBytes(opcode, 1)}\` | \`${hexBytes(registers, 1)}\` | \`${hexBytes(off, 2)}\` | \`${hexBytes(imm, 4)}\` |`;
}

/** Little endian, as the bytes lie in memory. */
function hexBytes(value: number, width: number): string {
  return hexText(
    Array.from({ length: width }, (_, at) => (value >> (8 * at)) & 255),
    ' ',
  );
}

/** Decimal, with hexadecimal behind it where that tells more. */
function numberText(value: number): string {
  return value > -10 && value < 10 ? String(value) : `${value} (0x${(value >>> 0).toString(16)})`;
}

function groupText(group: ConformanceGroup): string {
  return group === 'kernel' ? 'in no conformance group (Linux)' : `conformance group \`${group}\``;
}

const ISA_TEXT: Readonly<Record<IsaVersion, string>> = {
  v1: 'since ISA v1',
  v2: 'since ISA v2',
  v3: 'since ISA v3',
  v4: 'since ISA v4',
  kernel: 'Linux only',
};
