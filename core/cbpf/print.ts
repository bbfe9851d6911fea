import { extensionAt } from './extensions.ts';
import { jumpTargets } from './jump-targets.ts';
import type { ClassicForm } from './program.ts';
import { SKF_AD_OFF, SKF_LL_OFF, type SockFilter } from './sock-filter.ts';
import { type ClassicInsnRow, classicRow } from './table.ts';

/**
 * A program as text, one line an instruction, each form as its own tool prints it: `asm` can be read by
 * bpf_asm, `d`, `dd` and `ddd` are those of tcpdump. A code that is no instruction prints as `unimp 0x…`,
 * as tcpdump does.
 * @param notes words for some instructions, as comments; `dd` and `ddd` have no place for them.
 */
export function printClassic(
  filters: readonly SockFilter[],
  form: ClassicForm,
  notes: readonly (string | undefined)[] = [],
): string[] {
  const noted = (text: string, index: number): string =>
    notes[index] === undefined ? text : `${text.trimEnd()}\t; ${notes[index]}`;
  switch (form) {
    case 'asm':
      return printAsm(filters, noted);
    case 'd':
      return filters.map((filter, index) => noted(listingLine(filter, index), index));
    case 'dd':
      return filters.map(
        ({ code, jt, jf, k }) =>
          `{ 0x${code.toString(16)}, ${jt}, ${jf}, 0x${k.toString(16).padStart(8, '0')} },`,
      );
    case 'ddd':
      return [`${filters.length}`, ...filters.map(({ code, jt, jf, k }) => `${code} ${jt} ${jf} ${k}`)];
  }
}

function printAsm(filters: readonly SockFilter[], noted: (text: string, index: number) => string): string[] {
  const named = new Set<number>();
  const body = filters.map((filter, index) => {
    const label = (target: number): string => {
      named.add(target);
      return `L${target}`;
    };
    return classicText(filter, index, label);
  });
  const lines: string[] = [];
  for (const [index, text] of body.entries()) {
    if (named.has(index)) lines.push(`L${index}:`);
    lines.push(`\t${noted(text, index)}`);
  }
  return lines;
}

/**
 * One instruction in the bpf_asm language. `label` names the instruction with a given number; it is asked
 * only for what the text needs.
 */
export function classicText(filter: SockFilter, index: number, label: (target: number) => string): string {
  const row = classicRow(filter.code);
  if (row === undefined) return `unimp 0x${filter.code.toString(16)}`;
  if (row.mode === 'jump') return `${row.name} ${label(index + 1 + filter.k)}`;
  if (row.mode !== 'cond_k' && row.mode !== 'cond_x')
    return `${row.name} ${operandText(row, filter)}`.trimEnd();
  const operand = row.mode === 'cond_x' ? 'x' : `#${hex(filter.k)}`;
  const onTrue = index + 1 + filter.jt;
  const onFalse = index + 1 + filter.jf;
  if (filter.jf === 0) return `${row.name} ${operand}, ${label(onTrue)}`;
  const inverted = row.also?.find((each) => each.inverted)?.name;
  if (filter.jt === 0 && inverted !== undefined) return `${inverted} ${operand}, ${label(onFalse)}`;
  return `${row.name} ${operand}, ${label(onTrue)}, ${label(onFalse)}`;
}

function operandText(row: ClassicInsnRow, { k }: SockFilter): string {
  switch (row.mode) {
    case 'imm':
      return `#${isBits(row) ? hex(k) : k}`;
    case 'abs': {
      const word = k >= SKF_AD_OFF ? extensionAt(k - SKF_AD_OFF)?.word : undefined;
      return word === undefined ? `[${offsetText(k)}]` : `#${word}`;
    }
    case 'ind':
      return `[x + ${offsetText(k)}]`;
    case 'mem':
      return `M[${k}]`;
    case 'msh':
      return `4*([${offsetText(k)}]&0xf)`;
    case 'len':
      return '#len';
    case 'x':
    case 'a':
      return row.mode;
    default:
      return '';
  }
}

/** Operations on single bits and loads of a constant read better in hexadecimal; tcpdump thinks so too. */
function isBits(row: ClassicInsnRow): boolean {
  return ['and_k', 'or_k', 'xor_k', 'ld_imm', 'ldx_imm'].includes(row.id);
}

/** Offsets from a header are bit patterns, others plain numbers. */
function offsetText(k: number): string {
  return k >= SKF_LL_OFF ? hex(k) : `${k}`;
}

function hex(k: number): string {
  return `0x${k.toString(16)}`;
}

/** A line of `tcpdump -d`: number, name, operand, and for conditions the numbers of both targets. */
export function listingLine(filter: SockFilter, index: number): string {
  const number = `(${String(index).padStart(3, '0')})`;
  const row = classicRow(filter.code);
  if (row === undefined || row.id === 'ret_x') return `${number} unimp    0x${filter.code.toString(16)}`;
  const targets = jumpTargets(filter, index);
  const name = row.name.padEnd(8);
  if (row.mode === 'jump') return `${number} ${name} ${targets[0]}`;
  if (targets.length === 2) {
    const operand = row.mode === 'cond_x' ? 'x' : `#${hex(filter.k)}`;
    return `${number} ${name} ${operand.padEnd(16)} jt ${targets[0]}\tjf ${targets[1]}`;
  }
  return `${number} ${name} ${listingOperand(row, filter)}`;
}

function listingOperand(row: ClassicInsnRow, { k }: SockFilter): string {
  const signed = k | 0;
  switch (row.mode) {
    case 'imm':
      return `#${isBits(row) ? hex(k) : signed}`;
    case 'abs':
      return `[${signed}]`;
    case 'ind':
      return `[x + ${signed}]`;
    case 'msh':
      return `4*([${signed}]&0xf)`;
    case 'len':
      return '#pktlen';
    case 'a':
      return '';
    default:
      return operandText(row, { code: row.code, jt: 0, jf: 0, k });
  }
}
