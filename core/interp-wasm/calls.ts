import type { InsnId } from '../isa/table.ts';
import * as layout from '../vm/layout.ts';
import { Code } from '../wasm/code.ts';
import { OP } from '../wasm/opcodes.ts';
import * as form from './code-layout.ts';
import { ARGUMENTS, type EmitOp, type Emitter, LOCAL } from './emitter.ts';

const R0 = 1;
const R10 = 1 << 10;
/** Frame records: bytes of the first from the start of the CPU block, and of each. */
const FRAMES = layout.frameRecord(0, 0);
const FRAME_SIZE = layout.frameRecord(0, 1) - FRAMES;
/** Callee-saved registers. */
const SAVED = [6, 7, 8, 9] as const;

/** The op is for TypeScript, and is the last of its run. */
export const leaveLast: EmitOp = (e) => {
  e.noteRun();
  e.get(LOCAL.ip);
  e.set(LOCAL.start);
  e.leave();
};

/** The op is for TypeScript; what comes before it in the run is noted there. */
export const stop: EmitOp = (e) => e.leave();

/** The same when the top of the stack is not 0. */
function leaveLastIf(e: Emitter): void {
  e.if();
  leaveLast(e);
  e.end();
}

/** Sets `entry` to frame record `depth`'s offset in the CPU block, less that of the first. */
function frameOffset(e: Emitter): void {
  e.get(LOCAL.depth);
  e.i32(FRAME_SIZE);
  e.op(OP.i32_mul);
  e.set(LOCAL.entry);
}

/** Pushes, respectively sets, a word of the frame record at `entry`. */
function frameWord(e: Emitter, field: number): void {
  e.get(LOCAL.entry);
  e.code.access(OP.i32_load, 2, e.block + FRAMES + field);
}

function setFrameWord(e: Emitter, field: number, value: () => void): void {
  e.get(LOCAL.entry);
  value();
  e.code.access(OP.i32_store, 2, e.block + FRAMES + field);
}

/** Sets `at` to the region table's entry of the stack of frame `depth`, and pushes its region id. */
function stackEntry(e: Emitter): void {
  e.get(LOCAL.table);
  e.cpuWord(layout.CPU_STACK_REGION);
  e.get(LOCAL.depth);
  e.op(OP.i32_add);
  e.tee(LOCAL.shadow);
  e.i32(layout.REGION_ENTRY_SHIFT);
  e.op(OP.i32_shl);
  e.op(OP.i32_add);
  e.set(LOCAL.at);
  e.get(LOCAL.shadow);
}

/** Takes the region id of a stack: R10 is its end. */
function setFramePointer(e: Emitter): void {
  e.i32(layout.WINDOW_HI);
  e.op(OP.i32_add);
  e.set(LOCAL.shadow);
  e.setCpuWord(layout.CPU_R10, () => e.i32(layout.MAX_BPF_STACK));
  e.setCpuWord(layout.CPU_R10 + 4, () => e.get(LOCAL.shadow));
}

/** Pushes the slot at which the op at `pushAddress` stands. */
function slotOf(e: Emitter, pushAddress: () => void): void {
  pushAddress();
  e.cpuWord(form.SCRATCH_OPS);
  e.op(OP.i32_sub);
  e.i32(form.OP_SHIFT);
  e.op(OP.i32_shr_u);
}

const callLocal: EmitOp = (e) => {
  e.cpuWord(layout.CPU_DEPTH);
  e.i32(1);
  e.op(OP.i32_add);
  e.tee(LOCAL.depth);
  e.i32(layout.MAX_CALL_FRAMES);
  e.op(OP.i32_ge_u);
  e.cpuWord(form.SCRATCH_EXTENDED);
  e.op(OP.i32_or);
  leaveLastIf(e);
  e.noteRun();
  frameOffset(e);
  for (const [index, reg] of SAVED.entries()) {
    e.get(LOCAL.entry);
    e.i32(layout.regOffset(reg));
    e.reg64();
    e.code.access(OP.i64_store, 3, e.block + FRAMES + layout.FRAME_SAVED + index * 8);
  }
  setFrameWord(e, layout.FRAME_RETURN, () => {
    slotOf(e, () => e.get(LOCAL.ip));
    e.i32(1);
    e.op(OP.i32_add);
  });
  setFrameWord(e, layout.FRAME_CALLER_PROG, () => e.cpuWord(layout.CPU_PROG));
  setFrameWord(e, layout.FRAME_CALLER_INITIALISED, () => e.get(LOCAL.initialised));
  e.setCpuWord(layout.CPU_DEPTH, () => e.get(LOCAL.depth));
  e.get(LOCAL.ip);
  e.delta();
  e.op(OP.i32_add);
  e.set(LOCAL.ip);
  enterFrame(e);
  e.get(LOCAL.initialised);
  e.i32(ARGUMENTS);
  e.op(OP.i32_and);
  e.i32(R10);
  e.op(OP.i32_or);
  e.set(LOCAL.initialised);
  e.beginRun();
};

/** `enterFrame` of `core/vm/machine.ts` for frame `depth`, record `entry`, of the function at `ip`. */
function enterFrame(e: Emitter): void {
  stackEntry(e);
  setFramePointer(e);
  e.get(LOCAL.at);
  e.code.access(OP.i32_load, 2, layout.REGION_SHADOW);
  e.tee(LOCAL.shadow);
  e.code.access(OP.i64_load, 3, layout.SHADOW_GROUPS);
  e.op(OP.i64_eqz);
  e.op(OP.i32_eqz);
  e.if();
  e.get(LOCAL.at);
  e.code.access(OP.i32_load, 2, layout.REGION_BASE);
  e.get(LOCAL.shadow);
  e.code.call(e.clearFunc);
  e.end();
  e.get(LOCAL.at);
  e.i32(layout.MAX_BPF_STACK);
  e.code.access(OP.i32_store, 2, layout.REGION_SIZE);
  setFrameWord(e, layout.FRAME_START, () => slotOf(e, () => e.get(LOCAL.ip)));
  setFrameWord(e, layout.FRAME_MAY_GOTO, () => e.i32(layout.BPF_MAX_LOOPS));
}

const exit: EmitOp = (e) => {
  e.cpuWord(layout.CPU_DEPTH);
  e.tee(LOCAL.depth);
  e.op(OP.i32_eqz);
  leaveLastIf(e);
  frameOffset(e);
  frameWord(e, layout.FRAME_CALLER_PROG);
  e.cpuWord(layout.CPU_PROG);
  e.op(OP.i32_ne);
  leaveLastIf(e);
  e.noteRun();
  for (const [index, reg] of SAVED.entries()) {
    e.i32(layout.regOffset(reg));
    e.get(LOCAL.entry);
    e.code.access(OP.i64_load, 3, e.block + FRAMES + layout.FRAME_SAVED + index * 8);
    e.setReg();
  }
  stackEntry(e);
  e.i32(1);
  e.op(OP.i32_sub);
  setFramePointer(e);
  e.get(LOCAL.at);
  e.i32(0);
  e.code.access(OP.i32_store, 2, layout.REGION_SIZE);
  e.setCpuWord(layout.CPU_DEPTH, () => {
    e.get(LOCAL.depth);
    e.i32(1);
    e.op(OP.i32_sub);
  });
  frameWord(e, layout.FRAME_CALLER_INITIALISED);
  e.i32(~(ARGUMENTS | R0));
  e.op(OP.i32_and);
  e.get(LOCAL.initialised);
  e.i32(R0);
  e.op(OP.i32_and);
  e.op(OP.i32_or);
  e.set(LOCAL.initialised);
  e.cpuWord(form.SCRATCH_OPS);
  frameWord(e, layout.FRAME_RETURN);
  e.i32(form.OP_SHIFT);
  e.op(OP.i32_shl);
  e.op(OP.i32_add);
  e.set(LOCAL.ip);
  e.beginRun();
};

/**
 * Code of the function (address of a stack frame's bytes, of its shadow) that zeroes the bytes which the
 * shadow says were written, and the shadow. Its locals: the parameters, then the offset of the group (i32).
 */
export function clearFrame(): Code {
  const code = new Code();
  const group = 2;
  const groupSize = 1 << layout.SHADOW_GROUP_SHIFT;
  const mark = (): void => {
    code.localGet(1);
    code.localGet(group);
    code.i32Const(layout.SHADOW_GROUP_SHIFT);
    code.op(OP.i32_shr_u);
    code.op(OP.i32_add);
  };
  code.loop();
  mark();
  code.access(OP.i32_load8_u, 0, layout.SHADOW_GROUPS);
  code.if();
  mark();
  code.i32Const(0);
  code.access(OP.i32_store8, 0, layout.SHADOW_GROUPS);
  for (const base of [0, 1]) {
    for (let at = 0; at < groupSize; at += 8) {
      code.localGet(base);
      code.localGet(group);
      code.op(OP.i32_add);
      code.i64Const(0, 0);
      code.access(OP.i64_store, 3, at);
    }
  }
  code.end();
  code.localGet(group);
  code.i32Const(groupSize);
  code.op(OP.i32_add);
  code.localTee(group);
  code.i32Const(layout.MAX_BPF_STACK);
  code.op(OP.i32_lt_u);
  code.brIf(0);
  code.end();
  return code;
}

/** Calls, exit, and what only TypeScript does. */
export const CALLS = {
  call_local: callLocal,
  exit,
  call_helper: leaveLast,
  tail_call: leaveLast,
  call_kfunc: leaveLast,
  callx: leaveLast,
  lddw_btf_id: leaveLast,
  // Where the map is there the predecoder puts its address, as it does with a function's.
  lddw_map_fd: leaveLast,
  lddw_map_value: leaveLast,
  lddw_map_idx: leaveLast,
  lddw_map_idx_value: leaveLast,
  lddw_func: leaveLast,
  ldabsb: leaveLast,
  ldabsh: leaveLast,
  ldabsw: leaveLast,
  ldindb: leaveLast,
  ldindh: leaveLast,
  ldindw: leaveLast,
  probe_atomic64: leaveLast,
  probe_atomic32: leaveLast,
} satisfies Partial<Record<InsnId, EmitOp>>;
