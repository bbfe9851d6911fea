import { type Decoded, insnTarget } from './decode.ts';
import type { Insn, InsnIndex } from './insn.ts';
import { BPF_REG_AX } from './registers.ts';
import { type Dialect, fillTemplate, type Operand } from './template.ts';

/** Names to use instead of numbers; each may answer undefined for "no name". */
export interface PrintNames {
  /** Label of a slot. */
  target?(slot: InsnIndex): string | undefined;
  /** Name of helper `id`. */
  helper?(id: number): string | undefined;
  /** Name of the program-local function at a slot. */
  func?(slot: InsnIndex): string | undefined;
  /** Name of the map that a wide load refers to by `ref` (its imm). */
  map?(ref: number): string | undefined;
}

/**
 * One instruction as text. A row without a word in the GNU dialect is printed in pseudo-C. What a
 * dialect for source text cannot say (no instruction, a register beyond AX, a damaged second slot) is
 * printed as data, `.quad 0x…` (gnu: `.8byte`), which assembles to the same bytes. The kernel's dialect
 * prints every instruction that has a row, as the kernel does.
 */
export function printInsn(decoded: Decoded, dialect: Dialect, names: PrintNames = {}): string {
  const { row } = decoded;
  if (!row || (dialect !== 'kernel' && !canBeSource(decoded))) return printData(decoded, dialect);
  const used = dialect === 'gnu' && row.gnu === '' ? 'pseudoc' : dialect;
  const template = used === 'gnu' ? row.gnu : used === 'kernel' ? row.kernel : row.pseudoc;
  return fillTemplate(template, (operand) => printOperand(operand, decoded, used, names));
}

/** A register's name in a dialect; `low` picks the 32-bit name where the dialect has one. */
function printRegister(number: number, dialect: Dialect, low = false): string {
  if (number === BPF_REG_AX)
    return dialect === 'gnu' ? '%ax' : dialect === 'kernel' ? `${low ? 'w' : 'r'}11` : 'ax';
  if (dialect === 'gnu') return `%r${number}`;
  return `${low ? 'w' : 'r'}${number}`;
}

function printOperand(operand: Operand, decoded: Decoded, dialect: Dialect, names: PrintNames): string {
  const { insn } = decoded;
  switch (operand) {
    case 'dst':
      return printRegister(insn.dst, dialect);
    case 'src':
      return printRegister(insn.src, dialect);
    case 'wdst':
      return printRegister(insn.dst, dialect, true);
    case 'wsrc':
      return printRegister(insn.src, dialect, true);
    case 'imm':
      return String(insn.imm);
    case 'ximm':
      return `0x${(insn.imm >>> 0).toString(16)}`;
    case 'mem':
      return insn.off < 0 ? `- ${-insn.off}` : `+ ${insn.off}`;
    case 'off':
    case 'kmem':
      return signed(insn.off);
    case 'target':
    case 'ltarget': {
      const slot = insnTarget(decoded) ?? 0;
      return names.target?.(slot) ?? relative(slot - decoded.index - 1, dialect);
    }
    case 'func': {
      const slot = insnTarget(decoded) ?? 0;
      const name = names.func?.(slot);
      if (dialect === 'kernel') return `${relative(insn.imm, dialect)}${name ? `#${name}` : ''}`;
      // A bare number would be a helper's.
      return name ?? (decoded.row?.flow === 'call' ? `pc${signed(insn.imm)}` : signed(insn.imm));
    }
    case 'relfunc':
      return signed(insn.imm);
    case 'imm64':
      return printImm64(decoded.imm64 ?? BigInt(insn.imm >>> 0));
    case 'ximm64':
      return `0x${(decoded.imm64 ?? BigInt(insn.imm >>> 0)).toString(16)}`;
    case 'next_imm':
      return String(decoded.nextImm ?? 0);
    case 'helper': {
      const name = names.helper?.(insn.imm);
      if (dialect === 'kernel') return `${name ?? 'unknown'}#${insn.imm}`;
      return name ?? String(insn.imm);
    }
    case 'kfunc':
      return dialect === 'kernel' ? `kernel-function#${insn.imm}` : String(insn.imm);
    case 'kfd':
      return String(insn.off);
    case 'mapfd':
    case 'mapidx':
      return names.map?.(insn.imm) ?? String(insn.imm);
    case 'var':
      return String(insn.imm);
    case 'indoff':
      return insn.imm === 0 ? '' : insn.imm < 0 ? ` - ${-insn.imm}` : ` + ${insn.imm}`;
    case 'as_dst':
      return String(insn.imm >>> 16);
    case 'as_src':
      return String(insn.imm & 0xffff);
  }
}

/** A 64-bit immediate: small numbers signed and decimal, others as `0x…`. */
function printImm64(value: bigint): string {
  const asSigned = BigInt.asIntN(64, value);
  const small = 1n << 31n;
  return asSigned >= -small && asSigned < small ? String(asSigned) : `0x${value.toString(16)}`;
}

function signed(value: number): string {
  return value < 0 ? String(value) : `+${value}`;
}

function relative(slots: number, dialect: Dialect): string {
  return dialect === 'kernel' ? `pc${signed(slots)}` : signed(slots);
}

/** Would the text assemble to the same bytes? */
function canBeSource({ insn, row, length, next, nextImm }: Decoded): boolean {
  if (!row) return false;
  if (typeof row.dst === 'string' && insn.dst > BPF_REG_AX) return false;
  if (typeof row.src === 'string' && insn.src > BPF_REG_AX) return false;
  if (!row.wide) return true;
  if (length === 1 || !next || (next.opcode | next.dst | next.src | next.off) !== 0) return false;
  return nextImm === 0 || /\{(imm64|next_imm)\}/.test(row.pseudoc);
}

function printData({ insn, next }: Decoded, dialect: Dialect): string {
  const slots = next ? [insn, next] : [insn];
  return `${dialect === 'gnu' ? '.8byte' : '.quad'} ${slots.map(slotNumber).join(', ')}`;
}

/** The slot as the 64-bit number that has its bytes, little endian. */
function slotNumber(insn: Insn): string {
  const low = ((insn.off & 0xffff) << 16) | ((insn.src & 15) << 12) | ((insn.dst & 15) << 8) | insn.opcode;
  const value = (BigInt(insn.imm >>> 0) << 32n) | BigInt(low >>> 0);
  return `0x${value.toString(16).padStart(16, '0')}`;
}
