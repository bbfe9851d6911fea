import type { Mem } from './assembler.ts';
import type { X86Insn, X86Operand } from './decode.ts';
import { registerName } from './registers.ts';

/** How a listing wants addresses. */
export interface PrintOptions {
  /** Address (or offset) of the instruction: what distances are counted from. */
  readonly addr: bigint;
  /** Text of the address that a jump or call leads to; absent: the number. */
  readonly target?: (addr: bigint) => string;
}

const SIZES: Readonly<Record<number, string>> = { 8: 'byte', 16: 'word', 32: 'dword', 64: 'qword' };

/**
 * The instruction in the manual's (Intel) syntax, lower case: `mov rax, qword ptr [rbp-0x10]`. Numbers are
 * signed and hexadecimal; a number that a `mov` loads into a register is not signed.
 */
export function printX86(insn: X86Insn, options: PrintOptions): string {
  const texts = insn.operands.map((operand) => operandText(insn, operand, options));
  return texts.length === 0 ? insn.form.mnemonic : `${insn.form.mnemonic} ${texts.join(', ')}`;
}

function operandText(insn: X86Insn, operand: X86Operand, options: PrintOptions): string {
  switch (operand.kind) {
    case 'reg':
      return registerName(operand.reg, operand.bits);
    case 'mem':
      return memoryText(operand.mem, operand.bits, operand.gs);
    case 'imm':
      return insn.form.row.opEn === 'OI'
        ? hex(BigInt.asUintN(operand.bits, operand.value))
        : hex(operand.value);
    case 'rel': {
      const target = BigInt.asUintN(64, options.addr + BigInt(insn.length + operand.distance));
      return options.target?.(target) ?? hex(target);
    }
    case 'fixed':
      return operand.text;
  }
}

function memoryText(mem: Mem, bits: number, gs: boolean): string {
  const parts: string[] = [];
  if (mem.base >= 0) parts.push(registerName(mem.base, 64));
  if (mem.index >= 0) parts.push(registerName(mem.index, 64) + (mem.scale === 1 ? '' : `*${mem.scale}`));
  let text = parts.join('+');
  if (text === '') text = hex(BigInt.asUintN(64, BigInt(mem.disp)));
  else if (mem.disp !== 0) text += mem.disp < 0 ? `-${hex(BigInt(-mem.disp))}` : `+${hex(BigInt(mem.disp))}`;
  const size = SIZES[bits];
  return `${size === undefined ? '' : `${size} ptr `}${gs ? 'gs:' : ''}[${text}]`;
}

function hex(value: bigint): string {
  return value < 0n ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;
}
