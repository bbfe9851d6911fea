import type { Decoded, TableRow } from '#core/isa/decode.ts';
import { INSN_SIZE } from '#core/isa/insn.ts';
import type { ConformanceGroup, InsnRow, IsaVersion } from '#core/isa/row.ts';
import { opcodeWords } from './opcode-words.ts';

/** Names that stand in for numbers in what an instruction does, where the source has them. */
export interface InsnNames {
  /** Where a jump or call goes. */
  readonly target?: string | undefined;
  /** What a wide load loads: a map, a function, a variable. */
  readonly symbol?: string | undefined;
}

/**
 * What an instruction does, with its operands filled in: `r1 = *(u32 *)(r2 + 4)` for the table's
 * `dst = *(u32 *)(src + off)`. A word of the meaning that is no field stays as it is.
 */
export function filledMeaning(decoded: Decoded, row: InsnRow, names: InsnNames = {}): string {
  const { insn, imm64 } = decoded;
  const isWord = /^(w|if w): /.test(row.meaning);
  const register = (n: number) => `${isWord ? 'w' : 'r'}${n}`;
  const jump = row.off === 'jump' ? insn.off : insn.imm;
  const fields: Readonly<Record<string, string>> = {
    dst: register(insn.dst),
    src: register(insn.src),
    off: String(insn.off),
    imm: String(insn.imm),
    imm64: names.symbol ?? (imm64 === undefined ? '?' : `0x${imm64.toString(16)}`),
    next_imm: String(decoded.nextImm ?? 0),
  };
  const text = row.meaning
    .replace(/^w: /, '')
    .replace(/^if w: /, 'if ')
    .replace(/\b(sext64|sext32)\((imm)\)/g, '$2');
  const filled = text.replace(/\b(imm64|next_imm|dst|src|off|imm)\b/g, (word) => fields[word] ?? word);
  return filled
    .replace(/\+ -(\d)/g, '- $1')
    .replace(/pc \+= (-?\d+)/g, (slots) =>
      names.target === undefined ? slots : `goto ${names.target} (${slots})`,
    )
    .replace(/helper (\d+)\(/, (call) => (names.symbol === undefined ? call : `${names.symbol}(`))
    .replace(/pc \+ -?\d+ \+ 1/, (place) => names.target ?? (jump === 0 ? 'pc + 1' : place));
}

/**
 * The encoding as a Markdown table: a row of bytes as they lie in memory for each slot, and below it what
 * the fields say (DST, SRC, OFF and IMM are the kernel's names for them).
 */
export function encodingTable(decoded: Decoded): string {
  const { insn } = decoded;
  const rows = ['| opcode | dst/src | off | imm |', '|:--|:--|:--|:--|'];
  rows.push(bytesRow(insn.opcode, insn.dst | (insn.src << 4), insn.off, insn.imm));
  rows.push(
    `| \`${opcodeWords(insn.opcode).replaceAll('|', '\\|')}\` | DST=${insn.dst} SRC=${insn.src} | OFF=${insn.off} | IMM=${numberText(insn.imm)} |`,
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
export function sourceLink(source: string): string {
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
    `\`${filledMeaning(decoded, row, names)}\`${lostUpperHalf(row)}`,
    encodingTable(decoded),
    `${size} bytes (${decoded.length} ${slots}) · ${rowFacts(row)}`,
  ].join('\n\n');
}

function lostUpperHalf(row: InsnRow): string {
  return /, upper half zeroed$/.test(row.meaning)
    ? ''
    : row.meaning.startsWith('if w: ')
      ? ' (32-bit comparison)'
      : '';
}

function bytesRow(opcode: number, registers: number, off: number, imm: number): string {
  return `| \`${hexBytes(opcode, 1)}\` | \`${hexBytes(registers, 1)}\` | \`${hexBytes(off, 2)}\` | \`${hexBytes(imm, 4)}\` |`;
}

/** Little endian, as the bytes lie in memory. */
function hexBytes(value: number, width: number): string {
  return Array.from({ length: width }, (_, at) =>
    ((value >> (8 * at)) & 255).toString(16).padStart(2, '0'),
  ).join(' ');
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
