import * as layout from '../../vm/layout.ts';
import type { Code } from '../../wasm/code.ts';
import { OP } from '../../wasm/opcodes.ts';
import type { FunctionState } from './function-state.ts';
import * as local from './locals.ts';

/** Notes a store of `size` bytes at DISTANCE in the shadow of its region, whose address is in local `shadow`; 0: it has none. */
export function markFound(state: FunctionState, shadow: number, size: number): void {
  const { code } = state;
  code.localGet(shadow);
  state.open(() => code.if());
  code.localGet(shadow);
  code.localGet(local.DISTANCE);
  code.op(OP.i32_wrap_i64);
  code.op(OP.i32_add);
  code.i64Const(0x01010101, 0x01010101);
  code.access(storeOpcode(size), 0, 0);
  for (const byte of new Set([0, size - 1])) {
    code.localGet(local.DISTANCE);
    code.op(OP.i32_wrap_i64);
    code.i32Const(byte);
    code.op(OP.i32_add);
    code.i32Const(layout.SHADOW_GROUP_SHIFT);
    code.op(OP.i32_shr_u);
    code.localGet(shadow);
    code.op(OP.i32_add);
    code.i32Const(1);
    code.access(OP.i32_store8, 0, layout.SHADOW_GROUPS);
  }
  state.close();
}

/** Notes a store of `size` bytes to the function's frame at a known offset from its lowest address. */
export function markWritten(code: Code, offset: number, size: number): void {
  code.localGet(local.SHADOW);
  code.i64Const(0x01010101, 0x01010101);
  code.access(storeOpcode(size), 0, offset);
  const shift = layout.SHADOW_GROUP_SHIFT;
  for (const group of new Set([offset >> shift, (offset + size - 1) >> shift])) {
    code.localGet(local.SHADOW);
    code.i32Const(1);
    code.access(OP.i32_store8, 0, layout.SHADOW_GROUPS + group);
  }
}

/** Has all of the frame at FRAME, SHADOW cleared before it is entered again, as if all of it had been written. */
export function markAllWritten(code: Code): void {
  code.localGet(local.SHADOW);
  code.i64Const(0x01010101, 0x01010101);
  code.access(OP.i64_store, 0, layout.SHADOW_GROUPS);
}

function storeOpcode(size: number): number {
  return { 1: OP.i64_store8, 2: OP.i64_store16, 4: OP.i64_store32 }[size] ?? OP.i64_store;
}
