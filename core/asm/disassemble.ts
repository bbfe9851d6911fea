import { type Decoded, decodeProgram, insnTarget } from '../isa/decode.ts';
import { helperById } from '../isa/helpers.ts';
import type { InsnIndex } from '../isa/insn.ts';
import { printInsn } from '../isa/print.ts';
import type { SourceDialect } from './parse.ts';

/** Names that a disassembly may use; each may answer undefined. */
export interface DisassembleNames {
  /** Name of the function or label at a slot. */
  label?(slot: InsnIndex): string | undefined;
  /** Name of the map a wide load refers to by `imm`. */
  map?(ref: number): string | undefined;
  /** Name of a helper; the uapi's names when missing. */
  helper?(id: number): string | undefined;
}

/** A slot's line of text, with the labels that stand before it. */
export interface DisassembledInsn {
  readonly insnOff: InsnIndex;
  /** 1, or 2 for a wide instruction. */
  readonly nSlots: number;
  readonly labels: readonly string[];
  readonly text: string;
}

/**
 * Text that assembles to the same bytes (`insns`: 8 bytes a slot, little endian; a last partial slot is
 * dropped): labels for the targets of jumps and calls in the program, helpers by name, and data
 * directives for what is no instruction.
 */
export function disassembleText(
  insns: Uint8Array,
  dialect: SourceDialect,
  names: DisassembleNames = {},
): string[] {
  return disassemble(insns, dialect, names).flatMap(({ labels, text }) => [
    ...labels.map((label) => `${label}:`),
    `\t${text}`,
  ]);
}

/** The same, by instruction. */
function disassemble(
  insns: Uint8Array,
  dialect: SourceDialect,
  names: DisassembleNames = {},
): DisassembledInsn[] {
  const whole = insns.subarray(0, insns.length - (insns.length % 8));
  const program = decodeProgram(whole);
  const starts = new Set(program.map((d) => d.index));
  const labels = new Map<InsnIndex, string>();
  for (const decoded of program) {
    const target = insnTarget(decoded);
    if (target === undefined || !starts.has(target)) continue;
    const call = decoded.row?.id === 'call_local' || decoded.row?.id === 'lddw_func';
    labels.set(target, names.label?.(target) ?? labels.get(target) ?? `${call ? 'func' : 'L'}_${target}`);
  }
  if (names.label) {
    for (const { index } of program) {
      const name = names.label(index);
      if (name !== undefined) labels.set(index, name);
    }
  }
  const printNames = {
    target: (slot: InsnIndex) => labels.get(slot),
    func: (slot: InsnIndex) => labels.get(slot),
    helper: (id: number) => (names.helper ? names.helper(id) : helperById(id)?.name),
    ...(names.map ? { map: names.map } : {}),
  };
  return program.flatMap((decoded) => {
    const { index, length } = decoded;
    const here = labels.get(index);
    const before = here === undefined ? [] : [here];
    if (hasText(whole, decoded, labels)) {
      return [
        { insnOff: index, nSlots: length, labels: before, text: printInsn(decoded, dialect, printNames) },
      ];
    }
    return Array.from({ length }, (_, i) => ({
      insnOff: index + i,
      nSlots: 1,
      labels: i === 0 ? before : [],
      text: `${dialect === 'gnu' ? '.8byte' : '.quad'} 0x${slotValue(whole, index + i)
        .toString(16)
        .padStart(16, '0')}`,
    }));
  });
}

const MAX_REGISTER = 10;

/** Whether an instruction's text says all that is in its slots; what no text can say becomes data. */
function hasText(insns: Uint8Array, decoded: Decoded, labels: ReadonlyMap<InsnIndex, string>): boolean {
  const { row, insn, index } = decoded;
  if (!row) return false;
  if (typeof row.dst === 'string' && insn.dst > MAX_REGISTER) return false;
  if (typeof row.src === 'string' && insn.src > MAX_REGISTER) return false;
  // a bare number behind `call` is a helper's
  if (row.id === 'call_kfunc') return false;
  if (row.id === 'call_local') return labels.has(insnTarget(decoded)!);
  if (!row.wide) return true;
  if (decoded.length !== 2 || insns.subarray(index * 8 + 8, index * 8 + 12).some((byte) => byte !== 0))
    return false;
  return decoded.nextImm === 0 || /\{(imm64|next_imm)\}/.test(row.pseudoc);
}

function slotValue(insns: Uint8Array, slot: number): bigint {
  return new DataView(insns.buffer, insns.byteOffset, insns.byteLength).getBigUint64(slot * 8, true);
}
