import type { InsnId } from '../isa/table.ts';
import * as layout from '../vm/layout.ts';
import { OP } from '../wasm/opcodes.ts';
import * as form from './code-layout.ts';
import { type EmitOp, type Emitter, LOCAL } from './emitter.ts';

const jump: EmitOp = (e) => {
  e.get(LOCAL.ip);
  e.delta();
  e.op(OP.i32_add);
  e.set(LOCAL.ip);
  e.endRun();
};

/** Goes to the target when `condition` pushes not 0. Chosen, not branched: the dispatch is a branch already. */
function branch(condition: (e: Emitter) => void): EmitOp {
  return (e) => {
    e.get(LOCAL.ip);
    e.delta();
    e.i32(form.OP_SIZE);
    condition(e);
    e.op(OP.select);
    e.get(LOCAL.ip);
    e.op(OP.i32_add);
    e.set(LOCAL.ip);
    e.endRun();
  };
}

function imm64(opcode: number): EmitOp {
  return branch((e) => {
    e.dst64();
    e.imm64();
    e.op(opcode);
  });
}

function reg64(opcode: number): EmitOp {
  return branch((e) => {
    e.dst64();
    e.src64();
    e.op(opcode);
  });
}

function imm32(opcode: number): EmitOp {
  return branch((e) => {
    e.dst32();
    e.imm32();
    e.op(opcode);
  });
}

function reg32(opcode: number): EmitOp {
  return branch((e) => {
    e.dst32();
    e.src32();
    e.op(opcode);
  });
}

/** Have the two a common bit? */
function anyBit64(operand: (e: Emitter) => void): EmitOp {
  return branch((e) => {
    e.dst64();
    operand(e);
    e.op(OP.i64_and);
    e.i64(0);
    e.op(OP.i64_ne);
  });
}

/** Counts the frame's iterations down; leaves the loop when there are none. */
const mayGoto: EmitOp = (e) => {
  e.cpuWord(layout.CPU_DEPTH);
  e.i32(FRAME_SIZE);
  e.op(OP.i32_mul);
  e.tee(LOCAL.at);
  e.code.access(OP.i32_load, 2, MAY_GOTO + e.block);
  e.tee(LOCAL.entry);
  e.op(OP.i32_eqz);
  e.if();
  e.get(LOCAL.ip);
  e.delta();
  e.op(OP.i32_add);
  e.set(LOCAL.ip);
  e.endRun();
  e.end();
  e.get(LOCAL.at);
  e.get(LOCAL.entry);
  e.i32(1);
  e.op(OP.i32_sub);
  e.code.access(OP.i32_store, 2, MAY_GOTO + e.block);
  e.get(LOCAL.ip);
  e.i32(form.OP_SIZE);
  e.op(OP.i32_add);
  e.set(LOCAL.ip);
  e.endRun();
};

const FRAME_SIZE = layout.frameRecord(0, 1) - layout.frameRecord(0, 0);
const MAY_GOTO = layout.frameRecord(0, 0) + layout.FRAME_MAY_GOTO;

/** Jumps and branches. */
// biome-ignore format: a table, one row a line
export const JUMPS = {
  ja: jump,
  jal: jump,
  jeq64_imm: imm64(OP.i64_eq),
  jeq64_reg: reg64(OP.i64_eq),
  jgt64_imm: imm64(OP.i64_gt_u),
  jgt64_reg: reg64(OP.i64_gt_u),
  jge64_imm: imm64(OP.i64_ge_u),
  jge64_reg: reg64(OP.i64_ge_u),
  jset64_imm: anyBit64((e) => e.imm64()),
  jset64_reg: anyBit64((e) => e.src64()),
  jne64_imm: imm64(OP.i64_ne),
  jne64_reg: reg64(OP.i64_ne),
  jsgt64_imm: imm64(OP.i64_gt_s),
  jsgt64_reg: reg64(OP.i64_gt_s),
  jsge64_imm: imm64(OP.i64_ge_s),
  jsge64_reg: reg64(OP.i64_ge_s),
  jlt64_imm: imm64(OP.i64_lt_u),
  jlt64_reg: reg64(OP.i64_lt_u),
  jle64_imm: imm64(OP.i64_le_u),
  jle64_reg: reg64(OP.i64_le_u),
  jslt64_imm: imm64(OP.i64_lt_s),
  jslt64_reg: reg64(OP.i64_lt_s),
  jsle64_imm: imm64(OP.i64_le_s),
  jsle64_reg: reg64(OP.i64_le_s),
  jeq32_imm: imm32(OP.i32_eq),
  jeq32_reg: reg32(OP.i32_eq),
  jgt32_imm: imm32(OP.i32_gt_u),
  jgt32_reg: reg32(OP.i32_gt_u),
  jge32_imm: imm32(OP.i32_ge_u),
  jge32_reg: reg32(OP.i32_ge_u),
  jset32_imm: imm32(OP.i32_and),
  jset32_reg: reg32(OP.i32_and),
  jne32_imm: imm32(OP.i32_ne),
  jne32_reg: reg32(OP.i32_ne),
  jsgt32_imm: imm32(OP.i32_gt_s),
  jsgt32_reg: reg32(OP.i32_gt_s),
  jsge32_imm: imm32(OP.i32_ge_s),
  jsge32_reg: reg32(OP.i32_ge_s),
  jlt32_imm: imm32(OP.i32_lt_u),
  jlt32_reg: reg32(OP.i32_lt_u),
  jle32_imm: imm32(OP.i32_le_u),
  jle32_reg: reg32(OP.i32_le_u),
  jslt32_imm: imm32(OP.i32_lt_s),
  jslt32_reg: reg32(OP.i32_lt_s),
  jsle32_imm: imm32(OP.i32_le_s),
  jsle32_reg: reg32(OP.i32_le_s),
  may_goto: mayGoto,
} satisfies Partial<Record<InsnId, EmitOp>>;
