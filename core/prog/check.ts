import { decodeInsn, insnWrites, WIDE_OPCODE } from '../isa/decode.ts';
import {
  BPF_FUNC_CSUM_DIFF,
  BPF_FUNC_KTIME_GET_COARSE_NS,
  BPF_FUNC_SKB_LOAD_BYTES,
  BPF_FUNC_SKB_STORE_BYTES,
  BPF_FUNC_XDP_ADJUST_HEAD,
  BPF_FUNC_XDP_ADJUST_META,
  BPF_FUNC_XDP_ADJUST_TAIL,
} from '../isa/helper-ids.ts';
import { helperById } from '../isa/helpers.ts';
import { INSN_SIZE, type InsnIndex } from '../isa/insn.ts';
import { isClassicFunction, kernelFunctionOfImm } from '../isa/numbering.ts';
import { OP_CALL, OP_EXIT, OP_JA, OP_JA32 } from '../isa/opcodes.ts';
import { insnProblem } from '../isa/problems.ts';
import { BPF_REG_FP } from '../isa/registers.ts';
import { MAX_INSNS } from '../object/link.ts';
import type { ProgType } from '../object/object.ts';
import { branchField } from './patch.ts';
import type { Refusal } from './refusal.ts';

/** `BPF_MAX_SUBPROGS`: most functions that a program may have. */
const MAX_SUBPROGS = 256;

/** What a program is checked for beside its own instructions. */
export interface CheckOptions {
  /** Without it nothing that depends on the program type is checked. */
  readonly progType?: ProgType;
  /** Maps that map loads can name; without it they are not checked. */
  readonly nMaps?: number;
}

/**
 * What makes a program impossible to run as written: no or too many instructions, jumps and calls out
 * of range or into a wide instruction, running past the end of a function, unknown opcodes, reserved
 * fields, registers beyond R10, writes to R10, loads of maps that are not there. Texts and order as
 * Linux 6.18 (kernel/bpf/verifier.c: `add_subprog`, `check_subprogs`, `resolve_pseudo_ldimm64`,
 * `check_cfg`, `do_check`). What only a verifier would refuse beyond that (loops, unreachable code,
 * uninitialised registers, shift counts, division by the constant 0) passes: such a program still runs.
 *
 * `insns`: whole slots. Never throws; linear in the program's length. Undefined when nothing is wrong.
 */
export function checkProgram(insns: Uint8Array, options: CheckOptions = {}): Refusal | undefined {
  if (insns.length === 0) return { pc: undefined, message: 'the program is empty; the shortest is: exit' };
  if (insns.length % INSN_SIZE !== 0) {
    const message = `the program has ${insns.length} bytes; an instruction takes ${INSN_SIZE}, so this is no whole number of them`;
    return { pc: undefined, message };
  }
  const n = insns.length / INSN_SIZE;
  if (n > MAX_INSNS) {
    return { pc: undefined, message: `the program has ${n} instructions; at most ${MAX_INSNS} are allowed` };
  }
  const starts = subprogStarts(insns);
  if ('message' in starts) return starts;
  return (
    checkFunctions(insns, starts) ??
    checkOpcodes(insns, options) ??
    checkMiddles(insns) ??
    checkFields(insns, options)
  );
}

/**
 * First slots of a program's functions, ascending, the main one (0) first: what local calls and function
 * addresses point to. A refusal when one points outside.
 */
export function subprogStarts(insns: Uint8Array): readonly InsnIndex[] | Refusal {
  const n = Math.floor(insns.length / INSN_SIZE);
  const view = new DataView(insns.buffer, insns.byteOffset, insns.byteLength);
  const starts = new Set<InsnIndex>([0]);
  for (let pc = 0; pc < n; pc++) {
    const opcode = view.getUint8(pc * INSN_SIZE);
    const wide = opcode === WIDE_OPCODE;
    const src = view.getUint8(pc * INSN_SIZE + 1) >> 4;
    if ((opcode === OP_CALL || wide) && branchField(opcode, src) === 'imm') {
      const target = pc + 1 + view.getInt32(pc * INSN_SIZE + 4, true);
      if (target < 0 || target >= n) return { pc, message: 'call to invalid destination' };
      starts.add(target);
      if (starts.size > MAX_SUBPROGS) return { pc, message: 'too many subprograms' };
    }
    if (wide) pc++;
  }
  return [...starts].sort((a, b) => a - b);
}

/** Jumps stay in their function, and no function runs on past its end. */
function checkFunctions(insns: Uint8Array, starts: readonly InsnIndex[]): Refusal | undefined {
  const n = insns.length / INSN_SIZE;
  const view = new DataView(insns.buffer, insns.byteOffset, insns.byteLength);
  for (let f = 0; f < starts.length; f++) {
    const start = starts[f] ?? 0;
    const end = starts[f + 1] ?? n;
    for (let pc = start; pc < end; pc++) {
      const at = pc * INSN_SIZE;
      const opcode = view.getUint8(at);
      const field = opcode === WIDE_OPCODE || opcode === OP_CALL ? 'none' : branchField(opcode, 0);
      if (field !== 'none') {
        const target = pc + 1 + (field === 'imm' ? view.getInt32(at + 4, true) : view.getInt16(at + 2, true));
        if (target < start || target >= end) {
          return { pc, message: `jump out of range from insn ${pc} to ${target}` };
        }
      }
      if (pc === end - 1 && opcode !== OP_EXIT && opcode !== OP_JA && opcode !== OP_JA32) {
        return { pc, message: 'last insn is not an exit or jmp' };
      }
      if (opcode === WIDE_OPCODE && pc + 2 < end) pc++;
    }
  }
  return undefined;
}

/** Opcodes, wide instructions and the maps they name: what the kernel looks at before any other field. */
function checkOpcodes(insns: Uint8Array, options: CheckOptions): Refusal | undefined {
  const n = insns.length / INSN_SIZE;
  for (let pc = 0; pc < n; pc++) {
    const opcode = insns[pc * INSN_SIZE] ?? 0;
    const wide = opcode === WIDE_OPCODE;
    const problem = insnProblem(insns, pc);
    if (problem?.early) return { pc, message: problem.message };
    if (wide) {
      const src = (insns[pc * INSN_SIZE + 1] ?? 0) >> 4;
      if (options.nMaps !== undefined && (src === 1 || src === 2 || src === 5 || src === 6)) {
        const { insn } = decodeInsn(insns, pc);
        if (insn.imm < 0 || insn.imm >= options.nMaps) {
          return { pc, message: `fd ${insn.imm} is not pointing to valid bpf_map` };
        }
      }
      pc++;
    }
  }
  return undefined;
}

/** No jump lands on the second slot of a wide instruction. */
function checkMiddles(insns: Uint8Array): Refusal | undefined {
  const n = insns.length / INSN_SIZE;
  const view = new DataView(insns.buffer, insns.byteOffset, insns.byteLength);
  const middles = new Uint8Array(n + 1);
  for (let pc = 0; pc < n; pc++) if (view.getUint8(pc * INSN_SIZE) === WIDE_OPCODE) middles[++pc] = 1;
  for (let pc = 0; pc < n; pc++) {
    const at = pc * INSN_SIZE;
    const opcode = view.getUint8(at);
    const field = branchField(opcode, view.getUint8(at + 1) >> 4);
    if (field !== 'none') {
      const target = pc + 1 + (field === 'imm' ? view.getInt32(at + 4, true) : view.getInt16(at + 2, true));
      if (middles[target]) return { pc, message: `jump into the middle of ldimm64 insn ${target - 1}` };
    }
    if (opcode === WIDE_OPCODE) pc++;
  }
  return undefined;
}

/** Program types whose context is no socket buffer. */
const NO_PACKET_LOADS: ReadonlySet<ProgType | undefined> = new Set(['xdp', 'raw_tracepoint', 'raw']);

/**
 * Helpers that are simulated but not there for tracing programs, as Linux 6.18 says when they are tried:
 * those for packets, `bpf_csum_diff` and `bpf_ktime_get_coarse_ns`.
 */
const NOT_FOR_TRACING: ReadonlySet<number> = new Set([
  BPF_FUNC_SKB_STORE_BYTES,
  BPF_FUNC_SKB_LOAD_BYTES,
  BPF_FUNC_CSUM_DIFF,
  BPF_FUNC_XDP_ADJUST_HEAD,
  BPF_FUNC_XDP_ADJUST_META,
  BPF_FUNC_XDP_ADJUST_TAIL,
  BPF_FUNC_KTIME_GET_COARSE_NS,
]);

/** Is the number that of a function in rewritten code, which a program as loaded cannot name? */
function isAddress(imm: number): boolean {
  const found = kernelFunctionOfImm(imm);
  return found !== undefined && !isClassicFunction(found.name);
}

/** Reserved fields, register numbers, the frame pointer, packet loads where there is no socket buffer. */
function checkFields(insns: Uint8Array, options: CheckOptions): Refusal | undefined {
  const n = insns.length / INSN_SIZE;
  const noPacketLoads = NO_PACKET_LOADS.has(options.progType);
  for (let pc = 0; pc < n; pc++) {
    const problem = insnProblem(insns, pc);
    if (problem) return { pc, message: problem.message };
    const decoded = decodeInsn(insns, pc);
    if (insnWrites(decoded).includes(BPF_REG_FP)) return { pc, message: 'frame pointer is read only' };
    if (noPacketLoads && decoded.row?.group === 'packet') {
      return { pc, message: 'BPF_LD_[ABS|IND] instructions not allowed for this program type' };
    }
    if (decoded.row?.id === 'call_helper' && isAddress(decoded.insn.imm)) {
      return { pc, message: `invalid func unknown#${decoded.insn.imm}` };
    }
    if (options.progType === 'raw_tracepoint' && decoded.row?.id === 'call_helper') {
      const helper = decoded.insn.imm;
      if (NOT_FOR_TRACING.has(helper)) {
        const name = helperById(helper)?.name ?? 'unknown';
        return { pc, message: `program of this type cannot use helper ${name}#${helper}` };
      }
    }
    pc += decoded.length - 1;
  }
  return undefined;
}
