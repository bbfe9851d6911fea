import * as layout from '../../vm/layout.ts';
import type { Code } from '../../wasm/code.ts';
import { OP } from '../../wasm/opcodes.ts';
import * as local from './locals.ts';

/** Leaves R10 on the stack: the end of this function's frame. */
export function pushFramePointer(code: Code): void {
  code.localGet(local.BLOCK);
  code.access(OP.i32_load, 2, layout.CPU_STACK_REGION);
  code.localGet(local.DEPTH);
  code.op(OP.i32_add);
  code.i32Const(layout.WINDOW_HI);
  code.op(OP.i32_add);
  code.op(OP.i64_extend_i32_u);
  code.i64Const(32, 0);
  code.op(OP.i64_shl);
  code.i64Const(layout.MAX_BPF_STACK, 0);
  code.op(OP.i64_or);
}

/** Leaves the call depth of a callee on the stack. */
export function pushCalleeDepth(code: Code): void {
  code.localGet(local.DEPTH);
  code.i32Const(1);
  code.op(OP.i32_add);
}

/** Leaves the linear address of the region table's entry of a frame on the stack; `pushDepth` leaves its depth. */
export function pushStackEntry(code: Code, pushDepth: () => void): void {
  code.i32Const(0);
  code.access(OP.i32_load, 2, layout.HEADER_REGION_TABLE);
  code.localGet(local.BLOCK);
  code.access(OP.i32_load, 2, layout.CPU_STACK_REGION);
  pushDepth();
  code.op(OP.i32_add);
  code.i32Const(layout.REGION_ENTRY_SHIFT);
  code.op(OP.i32_shl);
  code.op(OP.i32_add);
}

/** Gives FRAME and SHADOW their values. */
export function findFrame(code: Code): void {
  pushStackEntry(code, () => code.localGet(local.DEPTH));
  code.localTee(local.T0);
  code.access(OP.i32_load, 2, layout.REGION_BASE);
  code.localSet(local.FRAME);
  code.localGet(local.T0);
  code.access(OP.i32_load, 2, layout.REGION_SHADOW);
  code.localSet(local.SHADOW);
}
