import type { InsnId } from '../isa/table.ts';
import * as layout from '../vm/layout.ts';
import { below, less } from './int64.ts';
import { type ExecState, type Handler, hi, lo, type Op } from './op.ts';

/** Is dst equal to the immediate, or to src? */
function eqImm(s: ExecState, op: Op): boolean {
  return lo(s, op.dst) === op.imm && hi(s, op.dst) === op.immHi;
}

function eqReg(s: ExecState, op: Op): boolean {
  return lo(s, op.dst) === lo(s, op.src) && hi(s, op.dst) === hi(s, op.src);
}

/** Is dst < operand, or operand < dst; unsigned? */
function dstBelowImm(s: ExecState, op: Op): boolean {
  return below(hi(s, op.dst), lo(s, op.dst), op.immHi, op.imm);
}

function dstBelowReg(s: ExecState, op: Op): boolean {
  return below(hi(s, op.dst), lo(s, op.dst), hi(s, op.src), lo(s, op.src));
}

function immBelowDst(s: ExecState, op: Op): boolean {
  return below(op.immHi, op.imm, hi(s, op.dst), lo(s, op.dst));
}

function regBelowDst(s: ExecState, op: Op): boolean {
  return below(hi(s, op.src), lo(s, op.src), hi(s, op.dst), lo(s, op.dst));
}

/** Is dst < operand, or operand < dst; signed? */
function dstLessImm(s: ExecState, op: Op): boolean {
  return less(hi(s, op.dst), lo(s, op.dst), op.immHi, op.imm);
}

function dstLessReg(s: ExecState, op: Op): boolean {
  return less(hi(s, op.dst), lo(s, op.dst), hi(s, op.src), lo(s, op.src));
}

function immLessDst(s: ExecState, op: Op): boolean {
  return less(op.immHi, op.imm, hi(s, op.dst), lo(s, op.dst));
}

function regLessDst(s: ExecState, op: Op): boolean {
  return less(hi(s, op.src), lo(s, op.src), hi(s, op.dst), lo(s, op.dst));
}

/** Jumps and branches: BPF_JMP and BPF_JMP32 without calls and exit. */
// biome-ignore format: a table, one row a line
export const JUMPS = {
  ja: (_, op) => op.target,
  jal: (_, op) => op.target,
  jeq64_imm: (s, op) => (eqImm(s, op) ? op.target : op.next),
  jeq64_reg: (s, op) => (eqReg(s, op) ? op.target : op.next),
  jne64_imm: (s, op) => (eqImm(s, op) ? op.next : op.target),
  jne64_reg: (s, op) => (eqReg(s, op) ? op.next : op.target),
  jgt64_imm: (s, op) => (immBelowDst(s, op) ? op.target : op.next),
  jgt64_reg: (s, op) => (regBelowDst(s, op) ? op.target : op.next),
  jge64_imm: (s, op) => (dstBelowImm(s, op) ? op.next : op.target),
  jge64_reg: (s, op) => (dstBelowReg(s, op) ? op.next : op.target),
  jlt64_imm: (s, op) => (dstBelowImm(s, op) ? op.target : op.next),
  jlt64_reg: (s, op) => (dstBelowReg(s, op) ? op.target : op.next),
  jle64_imm: (s, op) => (immBelowDst(s, op) ? op.next : op.target),
  jle64_reg: (s, op) => (regBelowDst(s, op) ? op.next : op.target),
  jsgt64_imm: (s, op) => (immLessDst(s, op) ? op.target : op.next),
  jsgt64_reg: (s, op) => (regLessDst(s, op) ? op.target : op.next),
  jsge64_imm: (s, op) => (dstLessImm(s, op) ? op.next : op.target),
  jsge64_reg: (s, op) => (dstLessReg(s, op) ? op.next : op.target),
  jslt64_imm: (s, op) => (dstLessImm(s, op) ? op.target : op.next),
  jslt64_reg: (s, op) => (dstLessReg(s, op) ? op.target : op.next),
  jsle64_imm: (s, op) => (immLessDst(s, op) ? op.next : op.target),
  jsle64_reg: (s, op) => (regLessDst(s, op) ? op.next : op.target),
  jset64_imm: (s, op) => ((lo(s, op.dst) & op.imm) | (hi(s, op.dst) & op.immHi) ? op.target : op.next),
  jset64_reg: (s, op) => ((lo(s, op.dst) & lo(s, op.src)) | (hi(s, op.dst) & hi(s, op.src)) ? op.target : op.next),
  jeq32_imm: (s, op) => (lo(s, op.dst) === op.imm ? op.target : op.next),
  jeq32_reg: (s, op) => (lo(s, op.dst) === lo(s, op.src) ? op.target : op.next),
  jne32_imm: (s, op) => (lo(s, op.dst) !== op.imm ? op.target : op.next),
  jne32_reg: (s, op) => (lo(s, op.dst) !== lo(s, op.src) ? op.target : op.next),
  jgt32_imm: (s, op) => (lo(s, op.dst) >>> 0 > op.imm >>> 0 ? op.target : op.next),
  jgt32_reg: (s, op) => (lo(s, op.dst) >>> 0 > lo(s, op.src) >>> 0 ? op.target : op.next),
  jge32_imm: (s, op) => (lo(s, op.dst) >>> 0 >= op.imm >>> 0 ? op.target : op.next),
  jge32_reg: (s, op) => (lo(s, op.dst) >>> 0 >= lo(s, op.src) >>> 0 ? op.target : op.next),
  jlt32_imm: (s, op) => (lo(s, op.dst) >>> 0 < op.imm >>> 0 ? op.target : op.next),
  jlt32_reg: (s, op) => (lo(s, op.dst) >>> 0 < lo(s, op.src) >>> 0 ? op.target : op.next),
  jle32_imm: (s, op) => (lo(s, op.dst) >>> 0 <= op.imm >>> 0 ? op.target : op.next),
  jle32_reg: (s, op) => (lo(s, op.dst) >>> 0 <= lo(s, op.src) >>> 0 ? op.target : op.next),
  jsgt32_imm: (s, op) => (lo(s, op.dst) > op.imm ? op.target : op.next),
  jsgt32_reg: (s, op) => (lo(s, op.dst) > lo(s, op.src) ? op.target : op.next),
  jsge32_imm: (s, op) => (lo(s, op.dst) >= op.imm ? op.target : op.next),
  jsge32_reg: (s, op) => (lo(s, op.dst) >= lo(s, op.src) ? op.target : op.next),
  jslt32_imm: (s, op) => (lo(s, op.dst) < op.imm ? op.target : op.next),
  jslt32_reg: (s, op) => (lo(s, op.dst) < lo(s, op.src) ? op.target : op.next),
  jsle32_imm: (s, op) => (lo(s, op.dst) <= op.imm ? op.target : op.next),
  jsle32_reg: (s, op) => (lo(s, op.dst) <= lo(s, op.src) ? op.target : op.next),
  jset32_imm: (s, op) => (lo(s, op.dst) & op.imm ? op.target : op.next),
  jset32_reg: (s, op) => (lo(s, op.dst) & lo(s, op.src) ? op.target : op.next),
  may_goto: (s, op) => {
    const depth = s.view.getUint32(s.block + layout.CPU_DEPTH, true);
    const at = layout.frameRecord(s.block, depth) + layout.FRAME_MAY_GOTO;
    const left = s.view.getUint32(at, true);
    if (left === 0) return op.target;
    s.view.setUint32(at, left - 1, true);
    return op.next;
  },
} satisfies Partial<Record<InsnId, Handler>>;
