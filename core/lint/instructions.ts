import type { Decoded } from '../isa/decode.ts';
import { helperById } from '../isa/helpers.ts';
import { insnProblem } from '../isa/problems.ts';
import { BPF_REG_FP } from '../isa/registers.ts';
import type { BpfObject, Diagnostic } from '../object/object.ts';
import { MAX_BPF_STACK } from '../vm/layout.ts';
import { type CodeFunction, isRegisterCall, relocationsBySlot } from './functions.ts';
import type { SourceMap } from './source-map.ts';

const REGISTER_CALL =
  'Linux has no call through a register; compile with optimisation so that the call is direct';

/** What an instruction shows by itself: opcode, fields, R10 written, stack offsets, helper numbers. */
export function instructionDiagnostics(
  object: BpfObject,
  functions: readonly CodeFunction[],
  source: SourceMap,
): Diagnostic[] {
  const found: Diagnostic[] = [];
  for (const fn of functions) {
    const section = object.sections[fn.section];
    if (section === undefined) continue;
    const relocated = relocationsBySlot(section);
    for (const decoded of fn.insns) {
      const slot = decoded.index;
      const isRelocated = relocated.has(slot);
      const problem = isRelocated ? undefined : insnProblem(section.bytes, slot);
      const one =
        framePointerWritten(decoded) ??
        stackBounds(decoded) ??
        unknownHelper(decoded, isRelocated) ??
        constantOperand(decoded);
      if (problem === undefined && one === undefined) continue;
      const place = source.rangeOfInsn(fn.section, slot);
      if (place === undefined || source.hasErrorIn(place)) continue;
      if (problem !== undefined) {
        // Compilers emit calls through a register; only the kernel says no, so it is no error of the text.
        const severity = isRegisterCall(decoded) ? 'warning' : 'error';
        found.push({
          range: place,
          severity,
          code: problem.code,
          message: `${problem.message}: ${isRegisterCall(decoded) ? REGISTER_CALL : problem.hint}`,
        });
        continue;
      }
      if (one === undefined) continue;
      const range = one.register === undefined ? place : source.rangeOfRegister(place, one.register, 'first');
      found.push({ range, severity: one.severity, code: one.code, message: one.message });
    }
  }
  return found;
}

interface Finding {
  readonly severity: 'error' | 'warning';
  readonly code: string;
  readonly message: string;
  /** The register to underline instead of the whole instruction. */
  readonly register?: number;
}

function framePointerWritten(decoded: Decoded): Finding | undefined {
  const { row, insn } = decoded;
  const isDst = (row?.dst === 'w' || row?.dst === 'rw') && insn.dst === BPF_REG_FP;
  const isSrc = row?.src === 'rw' && insn.src === BPF_REG_FP;
  if (!isDst && !isSrc) return undefined;
  return {
    severity: 'error',
    code: 'frame-pointer-written',
    message: 'frame pointer is read only: r10 cannot be written; copy it first: r2 = r10',
    register: BPF_REG_FP,
  };
}

/** An access through R10 itself: its offset tells where in the frame it lies. */
function stackBounds(decoded: Decoded): Finding | undefined {
  const { insn, row } = decoded;
  if (row?.access === undefined || row.off !== 'mem') return undefined;
  const isLoad = row.dst === 'w' && typeof row.src === 'string';
  const base = isLoad ? insn.src : insn.dst;
  if (base !== BPF_REG_FP) return undefined;
  if (insn.off >= -MAX_BPF_STACK && insn.off + row.access <= 0) return undefined;
  const sign = insn.off < 0 ? '-' : '+';
  const bytes = row.access === 1 ? '1 byte' : `${row.access} bytes`;
  return {
    severity: 'error',
    code: 'stack-bounds',
    message: `${bytes} at r10 ${sign} ${Math.abs(insn.off)} lie outside the stack frame, which is r10 - 512 … r10 - 1`,
  };
}

/** Shifts and divisions by constants that a verifier refuses, though their result is defined. */
function constantOperand({ insn, row }: Decoded): Finding | undefined {
  if (row?.imm !== 's32') return undefined;
  const [, operation = '', width = ''] = /^(lsh|rsh|arsh|div|sdiv|mod|smod)(32|64)_imm$/.exec(row.id) ?? [];
  if (operation.endsWith('sh') && (insn.imm < 0 || insn.imm >= Number(width))) {
    const low = insn.imm & (Number(width) - 1);
    return {
      severity: 'warning',
      code: 'shift-range',
      message: `invalid shift ${insn.imm}: a ${width}-bit shift uses the low ${width === '64' ? 6 : 5} bits only, which are ${low}`,
    };
  }
  if (/div|mod/.test(operation) && insn.imm === 0) {
    const result = operation.endsWith('div') ? 'the result is 0' : 'the register keeps its value';
    return {
      severity: 'warning',
      code: 'division-by-zero',
      message: `div by zero: ${result}; the verifier refuses it`,
    };
  }
  return undefined;
}

function unknownHelper(decoded: Decoded, isRelocated: boolean): Finding | undefined {
  if (decoded.row?.id !== 'call_helper' || isRelocated) return undefined;
  const id = decoded.insn.imm;
  if (helperById(id) !== undefined) return undefined;
  return {
    severity: 'warning',
    code: 'unknown-helper',
    message: `there is no helper function number ${id}; call a helper by name, or a program-local function by its label`,
  };
}
